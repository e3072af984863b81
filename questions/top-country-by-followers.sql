-- name = "top-country-by-followers"
-- answers = "The country of the poster with most followers of all"
-- columns = ["country", "follower_count"]
--
-- [parameters.ties]
-- says = "of countries that are level: all, or one, the first by name"
-- default = "all"
-- choices = { all = "ALL", one = "DISTINCT ON (follower_count)" }

WITH countries AS (
    SELECT country, MAX(follower_count) AS follower_count
    FROM pin JOIN geo ON pin.ind = geo.ind
    WHERE country IS NOT NULL AND follower_count IS NOT NULL
    GROUP BY country
),
ranked AS (
    SELECT *, RANK() OVER (ORDER BY follower_count DESC) AS place
    FROM countries
)
SELECT $ties country, follower_count
FROM ranked
WHERE place = 1
ORDER BY follower_count, country
