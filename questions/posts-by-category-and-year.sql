-- name = "posts-by-category-and-year"
-- answers = "How many posts each category had in each year"
-- columns = ["post_year", "category", "category_count"]
--
-- [parameters.from]
-- says = "the first year"
-- default = 2018
--
-- [parameters.to]
-- says = "the last year"
-- default = 2022

SELECT
    EXTRACT(YEAR FROM timestamp) AS post_year,
    category,
    COUNT(DISTINCT unique_id) AS category_count
FROM pin JOIN geo ON pin.ind = geo.ind
WHERE category IS NOT NULL AND EXTRACT(YEAR FROM timestamp) BETWEEN $from AND $to
GROUP BY post_year, category
ORDER BY post_year, category_count DESC, category
