-- SQLite's spellings that PostgreSQL lacks, so that a statement of the store is one text for both. The planner
-- puts the body of such a function in its place, so it costs nothing and keeps indexes usable.
CREATE FUNCTION json_each(text, OUT value text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 64
    AS 'SELECT json_array_elements_text($1::json)';
CREATE FUNCTION iif(boolean, anycompatible, anycompatible) RETURNS anycompatible
LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT CASE WHEN $1 THEN $2 ELSE $3 END';

-- NULL if one of them is NULL, as in SQLite; greatest() and least() pass over NULL.
CREATE FUNCTION max(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT CASE WHEN $1 >= $2 THEN $1 WHEN $1 < $2 THEN $2 END';
CREATE FUNCTION min(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT CASE WHEN $1 <= $2 THEN $1 WHEN $1 > $2 THEN $2 END';
CREATE FUNCTION max(VARIADIC bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT CASE WHEN array_position($1, NULL) IS NULL THEN (SELECT pg_catalog.max(x) FROM unnest($1) x) END';

-- A plus keeps the index of a column out of SQLite's plan. A text has no plus in PostgreSQL, and there the
-- planner counts for itself: for a text the plus means nothing.
CREATE FUNCTION unchanged(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
CREATE OPERATOR + (RIGHTARG = text, FUNCTION = unchanged);

-- JSON lies in columns of text. A path is a name of the top level, as `$.name` or `name`, or a position of an array.
CREATE FUNCTION json_member(text, text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$SELECT $1::json ->> CASE WHEN $2 LIKE '$.%' THEN substr($2, 3) ELSE $2 END$$;
CREATE FUNCTION json_item(text, bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT $1::json ->> $2::integer';
CREATE OPERATOR ->> (LEFTARG = text, RIGHTARG = text, FUNCTION = json_member);
CREATE OPERATOR ->> (LEFTARG = text, RIGHTARG = bigint, FUNCTION = json_item);
CREATE FUNCTION json_set(text, text, text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT jsonb_set($1::jsonb, ARRAY[substr($2, 3)], to_jsonb($3))::text';
CREATE FUNCTION json_remove(text, VARIADIC text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$SELECT ($1::jsonb - ARRAY(SELECT substr(path, 3) FROM unnest($2) path))::text$$;

-- The database's time, in microseconds since 1970 UTC: leases and heartbeats go by no other clock. A simulation
-- sets it for its session.
CREATE FUNCTION db_now_us() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(nullif(current_setting('missedd.now_us', true), '')::bigint,
                    floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
$$;
