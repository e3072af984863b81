-- name = "top-category-by-country"
-- answers = "The most popular category in each country"
-- columns = ["country", "category", "category_count"]
--
-- [parameters.ties]
-- says = "of categories that are level: all, or one, the first by name"
-- default = "all"
-- choices = { all = "ALL", one = "DISTINCT ON (country)" }

WITH counts AS (
    SELECT country, category, COUNT(DISTINCT unique_id) AS category_count
    FROM pin JOIN geo ON pin.ind = geo.ind
    WHERE country IS NOT NULL AND category IS NOT NULL
    GROUP BY country, category
),
ranked AS (
    SELECT *, RANK() OVER (PARTITION BY country ORDER BY category_count DESC) AS place
    FROM counts
)
SELECT $ties country, category, category_count
FROM ranked
WHERE place = 1
ORDER BY country, category
