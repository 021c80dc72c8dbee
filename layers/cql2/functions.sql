-- What CQL2 filters need in the database (OGC 21-065r2). Idempotent.
CREATE SCHEMA IF NOT EXISTS citymap;
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;

-- CASEI: full case folding. The detour by upper case turns ß into ss; ICU's final sigma is undone.
CREATE OR REPLACE FUNCTION citymap.cql2_casei(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(
    lower(upper(lower(value COLLATE "und-x-icu") COLLATE "und-x-icu") COLLATE "und-x-icu"), U&'\03C2', U&'\03C3');

-- ACCENTI: letters without diacritics, also where they are stored as combining marks.
-- unaccent() is only stable because its dictionary may be changed; ours is the one that ships with PostgreSQL.
CREATE OR REPLACE FUNCTION citymap.cql2_accenti(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN normalize(
    regexp_replace(
        normalize(public.unaccent('public.unaccent'::regdictionary, normalize(value, NFC)), NFD),
        U&'[\0300-\036F]', '', 'g'),
    NFC);

-- A folded piece of a LIKE pattern: what folding made of it must not become a wildcard.
CREATE OR REPLACE FUNCTION citymap.cql2_like_literal(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(replace(replace(value, '\', '\\'), '%', '\%'), '_', '\_');

-- Arithmetic that answers NULL (unknown) where PostgreSQL would fail: division by zero, overflow, underflow.
CREATE OR REPLACE FUNCTION citymap.cql2_double(value numeric) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN abs(value) < 1e300 THEN value::float8 END;

CREATE OR REPLACE FUNCTION citymap.cql2_add(a float8, b float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN abs(a) <= 8e307 AND abs(b) <= 8e307 THEN a + b
    WHEN abs(a) < 'infinity' AND abs(b) < 'infinity' AND (a > 0) <> (b > 0) THEN a + b
END;

CREATE OR REPLACE FUNCTION citymap.cql2_multiply(a float8, b float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN abs(a) BETWEEN 1e-150 AND 1e150 AND abs(b) BETWEEN 1e-150 AND 1e150 THEN a * b
    WHEN a = 0 AND b IS NOT NULL OR b = 0 AND a IS NOT NULL THEN 0
END;

CREATE OR REPLACE FUNCTION citymap.cql2_divide(a float8, b float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN abs(a) BETWEEN 1e-150 AND 1e150 AND abs(b) BETWEEN 1e-150 AND 1e150 THEN a / b
    WHEN a = 0 AND b <> 0 THEN 0
END;

CREATE OR REPLACE FUNCTION citymap.cql2_remainder(a float8, b float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN abs(a) BETWEEN 1e-150 AND 1e150 AND abs(b) BETWEEN 1e-150 AND 1e150 THEN a - b * trunc(a / b)
    WHEN a = 0 AND b <> 0 THEN 0
END;

CREATE OR REPLACE FUNCTION citymap.cql2_power(a float8, b float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN b = 0 AND a IS NOT NULL THEN 1
    WHEN a = 0 THEN CASE WHEN b > 0 THEN 0 END
    WHEN a < 0 AND b <> trunc(b) THEN NULL
    WHEN abs(a) <= 1e300 AND abs(b) BETWEEN 1e-150 AND 1e15
        THEN CASE WHEN abs(b * ln(abs(a))) < 690 THEN power(a, b) END
END;
