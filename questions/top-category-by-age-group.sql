-- name = "top-category-by-age-group"
-- answers = "The most popular category in each age group"
-- columns = ["age_group", "category", "category_count"]
--
-- [parameters.ties]
-- says = "of categories that are level: all, or one, the first by name"
-- default = "all"
-- choices = { all = "ALL", one = "DISTINCT ON (age_group)" }

WITH users AS (
    SELECT ind, CASE
        WHEN age <= 24 THEN '18-24'
        WHEN age <= 35 THEN '25-35'
        WHEN age <= 50 THEN '36-50'
        ELSE '50+'
    END AS age_group
    FROM user
    WHERE age >= 18
),
counts AS (
    SELECT age_group, category, COUNT(DISTINCT unique_id) AS category_count
    FROM pin JOIN users ON pin.ind = users.ind
    WHERE category IS NOT NULL
    GROUP BY age_group, category
),
ranked AS (
    SELECT *, RANK() OVER (PARTITION BY age_group ORDER BY category_count DESC) AS place
    FROM counts
)
SELECT $ties age_group, category, category_count
FROM ranked
WHERE place = 1
ORDER BY age_group, category
