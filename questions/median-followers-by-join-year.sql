-- name = "median-followers-by-join-year"
-- answers = "The median follower count of the users who joined in each year"
-- columns = ["join_year", "median_follower_count"]
--
-- [parameters.median]
-- says = "of an even number: element, the lower of the middle two, or their mean"
-- default = "element"
--   [parameters.median.choices]
--   element = "CAST(QUANTILE_DISC(follower_count, 0.5) AS BIGINT)"
--   interpolated = "MEDIAN(follower_count)"
--
-- [parameters.distinct]
-- says = "count once what was drawn twice: by ind, or none, every row"
-- default = "ind"
-- choices = { ind = "DISTINCT ON (ind)", none = "ALL" }

WITH pins AS (
    SELECT $distinct ind, follower_count
    FROM pin
    ORDER BY ind, follower_count DESC NULLS LAST
),
users AS (
    SELECT $distinct ind, EXTRACT(YEAR FROM date_joined) AS join_year
    FROM user
    WHERE date_joined IS NOT NULL
    ORDER BY ind, join_year DESC
)
SELECT join_year, $median AS median_follower_count
FROM pins JOIN users ON pins.ind = users.ind
GROUP BY join_year
ORDER BY join_year
