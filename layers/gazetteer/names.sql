-- The names of features, kept beside them for search: every distinct text once (name_terms), and which feature has it
-- (names). Triggers keep both within the edit's own transaction, by whatever road the edit comes.
--
-- These tables only lead to features: what is answered is read from the layer's own table, under its policies.

-- Readings without tones: of a character, and of two that stand side by side where one of them reads otherwise there
-- (银行: yin hang). Filled from pypinyin (layers/gazetteer/readings.py).
CREATE TABLE citymap.pinyin (characters text PRIMARY KEY, first text NOT NULL, second text);

-- id is the hash of the text, so that nobody waits for another's transaction to give one; the same text may stand here
-- twice when two transactions brought it at once.
CREATE TABLE citymap.name_terms (
    id bigint NOT NULL,
    text text COLLATE "C" NOT NULL,
    pinyin text COLLATE "C" NOT NULL,
    initials text COLLATE "C" NOT NULL,
    tokens tsvector NOT NULL
);
CREATE INDEX name_terms_id ON citymap.name_terms (id);
CREATE INDEX name_terms_text ON citymap.name_terms (text);
CREATE INDEX name_terms_pinyin ON citymap.name_terms (pinyin) WHERE pinyin <> text;
CREATE INDEX name_terms_initials ON citymap.name_terms (initials) WHERE pinyin <> text;
CREATE INDEX name_terms_tokens ON citymap.name_terms USING gin (tokens) WITH (gin_pending_list_limit = 1024);

-- field: which field of the feature says so. number and unit: of an address, 12 and 3栋 of 人民西路12号3栋.
CREATE TABLE citymap.names (
    layer text NOT NULL,
    feature bigint NOT NULL,
    field text NOT NULL,
    term bigint NOT NULL,
    number text COLLATE "C",
    unit text
);
CREATE INDEX names_feature ON citymap.names (layer, feature);
CREATE INDEX names_term ON citymap.names (term, layer, number);

-- --- Texts as they are compared -------------------------------------------------------------------------------------

-- 十二号 and 三百零五弄 as 12号 and 305弄: house numbers only, because 三环路 is a name.
CREATE FUNCTION citymap.with_digits(key text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    written text;
    letter text;
    digit int;
    total int;
    part int;
BEGIN
    LOOP
        written := (regexp_match(key, '([〇零一二三四五六七八九十百千两]{1,9})(?:号|弄|栋|幢|单元|室)'))[1];
        EXIT WHEN written IS NULL;
        total := 0;
        part := 0;
        IF written ~ '[十百千]' THEN
            FOREACH letter IN ARRAY string_to_array(written, NULL) LOOP
                digit := CASE letter WHEN '两' THEN 2 WHEN '零' THEN 0 ELSE strpos('〇一二三四五六七八九', letter) - 1 END;
                IF digit >= 0 THEN
                    part := digit;
                ELSE
                    total := total + greatest(part, 1) * CASE letter WHEN '十' THEN 10 WHEN '百' THEN 100 ELSE 1000 END;
                    part := 0;
                END IF;
            END LOOP;
            key := replace(key, written, (total + part)::text);
        ELSE
            key := replace(key, written, translate(written, '〇零一二三四五六七八九两', '001234567892'));
        END IF;
    END LOOP;
    RETURN key;
END $$;

-- Full-width letters and digits, accents, capitals, spaces and punctuation make no difference. Digits keep 12-1.
CREATE FUNCTION citymap.name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT CASE WHEN plain ~ '[〇零一二三四五六七八九十百千两](号|弄|栋|幢|单元|室)' THEN citymap.with_digits(plain) ELSE plain END
    FROM (
        SELECT replace(CASE
            WHEN name ~ '^[0-9a-z\u4e00-\u9fff]*$' THEN name
            ELSE lower(regexp_replace(normalize(
                regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g'), NFKC),
                '[\u0001-\u002c\u002e\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u3004\u3008-\u3020\u3030\ud800-\uf8ff\ufe00-\ufe0f]'
                '|(?<![0-9])-|-(?![0-9])', '', 'g') COLLATE "C")
            END, '號', '号') AS plain
    ) AS s
);

-- Road or village, number and what follows of the key of an address: {人民西路,12,3栋}; {key,NULL,NULL} without number.
CREATE FUNCTION citymap.address_parts(key text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    regexp_match(key, '^(.+?)([甲乙丙丁附临]?[0-9]+(?:[-之][0-9]+)*[a-z]?)号(.*)$'),
    regexp_match(key, '^(.*[^0-9-])([0-9]+(?:-[0-9]+)*[a-z]?)()$'),
    ARRAY[key, NULL, NULL]
);

-- Sounds that speakers of many dialects do not tell apart, made one: zh z, ch c, sh s, ing in, eng en, ang an, l n.
CREATE FUNCTION citymap.blurred(syllable text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(regexp_replace(regexp_replace(syllable, '^([zcs])h', '\1'), '([aei]n)g$', '\1'), '^l', 'n');

-- 12 of 12号, NO.12 or 十二号; NULL where there is no number.
CREATE FUNCTION citymap.house_number(number text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(citymap.with_digits(citymap.name_key(number)) FROM '[甲乙丙丁附临]?[0-9]+(?:[-之][0-9]+)*[a-z]?');

-- What is searched of each text. Tokens: pairs of characters where there are Chinese ones, else triples; pairs of
-- blurred syllables after ~; triples of initials after =. A text of one or two letters has none.
CREATE FUNCTION citymap.spelled(texts text[])
RETURNS TABLE (text text, pinyin text, initials text, tokens tsvector) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH letters AS (
        SELECT t.n AS term, c.n AS at, c.letter,
               c.letter || lead(c.letter) OVER w AS pair, lag(c.letter) OVER w || c.letter AS pair_before
        FROM unnest(texts) WITH ORDINALITY AS t (text, n),
             unnest(string_to_array(t.text, NULL)) WITH ORDINALITY AS c (letter, n)
        WHERE t.text ~ '[\u3007\u4e00-\u9fff]'
        WINDOW w AS (PARTITION BY t.n ORDER BY c.n)
    ), read AS (
        SELECT l.*, coalesce(after.first, before.second, alone.first) AS sound
        FROM letters l
        LEFT JOIN citymap.pinyin alone ON alone.characters = l.letter
        LEFT JOIN citymap.pinyin after ON after.characters = l.pair
        LEFT JOIN citymap.pinyin before ON before.characters = l.pair_before
    ), whole AS (
        SELECT term, string_agg(coalesce(sound, letter), '' ORDER BY at) AS pinyin,
               string_agg(left(coalesce(sound, letter), 1), '' ORDER BY at) AS initials,
               array_agg(pair) FILTER (WHERE pair IS NOT NULL) AS pairs,
               array_agg(citymap.blurred(sound) ORDER BY at) AS sounds
        FROM read GROUP BY term
    )
    SELECT texts[w.term], w.pinyin, w.initials,
           array_to_tsvector(coalesce(w.pairs, '{}')
               || ARRAY(SELECT '~' || a || ' ' || b FROM unnest(sounds, sounds[2:]) AS s (a, b)
                        WHERE a IS NOT NULL AND b IS NOT NULL)
               || ARRAY(SELECT '=' || substr(w.initials, i, 3) FROM generate_series(1, length(w.initials) - 2) i))
    FROM whole w
    UNION ALL
    SELECT t.text, t.text, t.text,
           array_to_tsvector(ARRAY(SELECT substr(t.text, i, 3) FROM generate_series(1, length(t.text) - 2) i))
    FROM unnest(texts) AS t (text) WHERE t.text !~ '[\u3007\u4e00-\u9fff]'
$$;

CREATE FUNCTION citymap.term_id(key text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtextextended(key COLLATE "C", 0);

-- --- Kept current ---------------------------------------------------------------------------------------------------

-- The fields of a layer that hold names: the title, names in other languages and aliases, and the parts of addresses.
CREATE FUNCTION citymap.name_fields(fields jsonb) RETURNS TABLE (name text, type text, role text) LANGUAGE sql IMMUTABLE AS $$
    SELECT name, type, role FROM jsonb_to_recordset(fields) AS f (name text, type text, role text)
    WHERE type IN ('string', 'string-array')
      AND (role = 'title' OR name IN ('name', 'name_en', 'alias', 'alt_name', 'short_name', 'old_name', 'address', 'place')
           OR name IN ('road', 'number') AND fields @> '[{"name": "road", "type": "string"}, {"name": "number", "type": "string"}]')
$$;

-- The names in `rows` (SQL of a table or subquery), as SQL that gives feature, field, text, number, unit. An address is
-- taken apart, road and number make one name together.
CREATE FUNCTION citymap.names_in(fields jsonb, rows text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(format(
        CASE
            WHEN name = 'address' THEN 'SELECT id, %2$L, p[1], p[2], p[3] FROM %1$s, citymap.address_parts(left(citymap.name_key(%2$I), 200)) AS p WHERE %2$I <> '''''
            WHEN name = 'road' THEN 'SELECT id, %2$L, left(citymap.name_key(road), 200), citymap.house_number(number), NULL FROM %1$s WHERE road <> '''''
            WHEN type = 'string-array' THEN 'SELECT id, %2$L, left(citymap.name_key(a), 200), NULL, NULL FROM %1$s, unnest(%2$I) AS a WHERE a <> '''''
            ELSE 'SELECT id, %2$L, left(citymap.name_key(%2$I), 200), NULL, NULL FROM %1$s WHERE %2$I <> '''''
        END, rows, name), ' UNION ALL ')
    FROM citymap.name_fields(fields) WHERE name <> 'number'
$$;

-- SQL that enters the names of `rows` and gives the texts that are new, as an array.
CREATE FUNCTION citymap.entering(layer_id text, fields jsonb, rows text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT format($q$
        WITH found AS MATERIALIZED (
            SELECT DISTINCT ON (id, text, number) id, field, text, number, unit
            FROM (%s) AS f (id, field, text, number, unit) WHERE text <> ''
            ORDER BY id, text, number, field
        ), entered AS (
            INSERT INTO citymap.names (layer, feature, field, term, number, unit)
            SELECT %L, id, field, citymap.term_id(text), number, nullif(unit, '') FROM found
        )
        SELECT array_agg(text) FROM (SELECT DISTINCT text FROM found) AS d
        WHERE NOT EXISTS (SELECT FROM citymap.name_terms t WHERE t.id = citymap.term_id(d.text))$q$,
        citymap.names_in(fields, rows), layer_id)
$$;

CREATE FUNCTION citymap.enter_terms(texts text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- EXECUTE: planned for as many texts as there are
    EXECUTE 'INSERT INTO citymap.name_terms (id, text, pinyin, initials, tokens)
             SELECT citymap.term_id(text), text, pinyin, initials, tokens FROM citymap.spelled($1)' USING texts;
    IF cardinality(texts) > 200 THEN
        -- what waits to be sorted into the index is read by every search
        PERFORM gin_clean_pending_list('citymap.name_terms_tokens');
    END IF;
END $$;

-- Statement trigger after INSERT, UPDATE or DELETE; its arguments are the layer's id and fields.
CREATE FUNCTION citymap.names_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    layer_id text := TG_ARGV[0];
    fields jsonb := TG_ARGV[1];
    rows text := 'new_rows';
    renamed bigint[];
    fresh text[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM citymap.names n USING old_rows o WHERE n.layer = layer_id AND n.feature = o.id;
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        EXECUTE (SELECT format('SELECT array_agg(id) FROM new_rows n JOIN old_rows o USING (id) WHERE (%s) IS DISTINCT FROM (%s)',
                               string_agg(format('n.%I', name), ', '), string_agg(format('o.%I', name), ', '))
                 FROM citymap.name_fields(fields)) INTO renamed;
        IF renamed IS NULL THEN
            RETURN NULL;
        END IF;
        DELETE FROM citymap.names n WHERE n.layer = layer_id AND n.feature = ANY (renamed);
        rows := '(SELECT * FROM new_rows WHERE id = ANY ($1)) AS renamed';
    END IF;
    EXECUTE citymap.entering(layer_id, fields, rows) INTO fresh USING renamed;
    IF fresh IS NOT NULL THEN
        PERFORM citymap.enter_terms(fresh);
    END IF;
    RETURN NULL;
END $$;

-- --- Which layers ---------------------------------------------------------------------------------------------------

-- Enter all names of a layer, and follow its edits from now on.
CREATE FUNCTION citymap.watch_names(layer citymap.layers) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own text := format('city.%I', layer.table_name);
    fields jsonb := (SELECT jsonb_agg(f) FROM citymap.name_fields(layer.fields) AS f);
    event record;
    fresh text[];
BEGIN
    IF fields IS NULL THEN
        RETURN;
    END IF;
    FOR event IN SELECT * FROM (VALUES ('INSERT', 'NEW TABLE AS new_rows'), ('DELETE', 'OLD TABLE AS old_rows'),
                                       ('UPDATE', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS e (name, tables) LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER names_after_%s AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION citymap.names_changed(%L, %L)',
                       lower(event.name), event.name, own, event.tables, layer.id, fields);
    END LOOP;
    DELETE FROM citymap.names n WHERE n.layer = watch_names.layer.id;
    EXECUTE citymap.entering(layer.id, fields, own) INTO fresh;
    IF fresh IS NOT NULL THEN
        PERFORM citymap.enter_terms(fresh);
    END IF;
END $$;

CREATE FUNCTION citymap.layer_watched() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- it may have been dropped again, or be another one by now
    PERFORM citymap.watch_names(l) FROM citymap.layers l WHERE l.id = NEW.id AND l.fields = NEW.fields;
    RETURN NULL;
END $$;

CREATE FUNCTION citymap.layer_forgotten() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM citymap.names n WHERE n.layer = OLD.id;
    RETURN NULL;
END $$;

-- Deferred, because the layer's table may be made after its row in the catalogue.
CREATE CONSTRAINT TRIGGER watch_names AFTER INSERT ON citymap.layers DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.id IN ('places', 'addresses', 'pois')) EXECUTE FUNCTION citymap.layer_watched();
CREATE TRIGGER watch_renamed_fields AFTER UPDATE OF fields ON citymap.layers
    FOR EACH ROW WHEN (NEW.id IN ('places', 'addresses', 'pois') AND NEW.fields <> OLD.fields) EXECUTE FUNCTION citymap.layer_watched();
CREATE TRIGGER forget_names AFTER DELETE ON citymap.layers FOR EACH ROW EXECUTE FUNCTION citymap.layer_forgotten();

-- Remove texts that no feature has any longer, when there are so many. While it removes them nobody enters names, lest
-- one be taken from a new feature; it does not wait for those who are at it, as others would then wait for it.
CREATE FUNCTION citymap.tidy_names(at_least bigint DEFAULT 1000) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM citymap.name_terms t
        WHERE NOT EXISTS (SELECT FROM citymap.names n WHERE n.term = t.id)) < at_least THEN
        RETURN;
    END IF;
    LOCK TABLE citymap.name_terms IN SHARE ROW EXCLUSIVE MODE NOWAIT;
    DELETE FROM citymap.name_terms t WHERE NOT EXISTS (SELECT FROM citymap.names n WHERE n.term = t.id);
EXCEPTION WHEN lock_not_available THEN
    RETURN;  -- the next time
END $$;

ALTER FUNCTION citymap.tidy() RENAME TO tidy_changes;
CREATE FUNCTION citymap.tidy() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT citymap.tidy_changes();
    SELECT citymap.tidy_names();
$$;

REVOKE EXECUTE ON FUNCTION citymap.watch_names, citymap.names_changed, citymap.layer_watched, citymap.layer_forgotten
    FROM PUBLIC;
GRANT SELECT ON citymap.pinyin, citymap.name_terms, citymap.names TO citymap_app;
