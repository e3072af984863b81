-- name = "users-joined-by-year"
-- answers = "How many users joined in each year"
-- columns = ["join_year", "users"]
--
-- [parameters.count]
-- says = "count people (name, age and date), rows, or names"
-- default = "people"
--   [parameters.count.choices]
--   people = "COUNT(CASE WHEN nth_of_person = 1 THEN 1 END)"
--   rows = "COUNT(CASE WHEN is_counted THEN 1 END)"
--   names = "COUNT(DISTINCT user_name)"
--
-- [parameters.distinct]
-- says = "with count=rows, count once what was drawn twice: by ind, or none, every row"
-- default = "ind"
-- choices = { ind = "nth_of_ind = 1", none = "TRUE" }

WITH users AS (
    SELECT
        user_name,
        EXTRACT(YEAR FROM date_joined) AS join_year,
        ROW_NUMBER() OVER (PARTITION BY user_name, age, date_joined ORDER BY ind) AS nth_of_person,
        ROW_NUMBER() OVER (PARTITION BY ind ORDER BY date_joined DESC) AS nth_of_ind
    FROM user
    WHERE date_joined IS NOT NULL
),
marked AS (
    SELECT *, $distinct AS is_counted
    FROM users
)
SELECT join_year, $count AS users
FROM marked
GROUP BY join_year
ORDER BY join_year
