-- name = "median-followers-by-age-group"
-- answers = "The median follower count of each age group"
-- columns = ["age_group", "median_follower_count"]
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
    SELECT $distinct ind, CASE
        WHEN age <= 24 THEN '18-24'
        WHEN age <= 35 THEN '25-35'
        WHEN age <= 50 THEN '36-50'
        ELSE '50+'
    END AS age_group
    FROM user
    WHERE age >= 18
    ORDER BY ind, age_group DESC
)
SELECT age_group, $median AS median_follower_count
FROM pins JOIN users ON pins.ind = users.ind
GROUP BY age_group
ORDER BY age_group
