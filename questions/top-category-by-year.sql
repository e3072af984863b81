-- name = "top-category-by-year"
-- answers = "The most popular category in each year"
-- columns = ["post_year", "category", "category_count"]
--
-- [parameters.ties]
-- says = "of categories that are level: all, or one, the first by name"
-- default = "all"
-- choices = { all = "ALL", one = "DISTINCT ON (post_year)" }

WITH posts AS (
    SELECT EXTRACT(YEAR FROM timestamp) AS post_year, category, unique_id
    FROM pin JOIN geo ON pin.ind = geo.ind
    WHERE timestamp IS NOT NULL AND category IS NOT NULL
),
counts AS (
    SELECT post_year, category, COUNT(DISTINCT unique_id) AS category_count
    FROM posts
    GROUP BY post_year, category
),
ranked AS (
    SELECT *, RANK() OVER (PARTITION BY post_year ORDER BY category_count DESC) AS place
    FROM counts
)
SELECT $ties post_year, category, category_count
FROM ranked
WHERE place = 1
ORDER BY post_year, category
