-- name = "top-poster-by-country"
-- answers = "The poster with most followers in each country"
-- columns = ["country", "poster_name", "follower_count"]
--
-- [parameters.ties]
-- says = "of posters that are level: all, or one, the first by name"
-- default = "all"
-- choices = { all = "ALL", one = "DISTINCT ON (country)" }

WITH posters AS (
    SELECT DISTINCT country, poster_name, follower_count
    FROM pin JOIN geo ON pin.ind = geo.ind
    WHERE country IS NOT NULL AND poster_name IS NOT NULL AND follower_count IS NOT NULL
),
ranked AS (
    SELECT *, RANK() OVER (PARTITION BY country ORDER BY follower_count DESC) AS place
    FROM posters
)
SELECT $ties country, poster_name, follower_count
FROM ranked
WHERE place = 1
ORDER BY country, poster_name
