import type { TableNames } from './tables';

/** Raised with every change of the functions below, so that two releases of the library can share a database. */
const functionsRevision = 1;

/** The quoted names of the functions that append. */
export function appendFunctions({ events }: TableNames): { readonly one: string; readonly many: string } {
  const name = (kind: string) => `${events.table.slice(0, -1)}_append_${kind}_${functionsRevision}"`;
  return { one: name('one'), many: name('many') };
}

/**
 * SQL that makes the functions which append: one event, or a batch of groups (each one call of `append`), each group
 * with its own outcome; in one round trip.
 *
 * In this order, for each is a reason: the locks, so that what is checked stays so until the commit; the guards, so
 * that a loser uses up no position; the marker, then the positions.
 *
 * The marker is what keeps readers from falling into gaps: a shared lock whose key holds the newest position that was
 * given out so far. Whatever the transaction stores lies above it, so a reader that sees the lock goes no further. One
 * is enough for a transaction: a setting that is as local as the lock remembers it, back to a savepoint too.
 *
 * What is written as an assignment or a condition costs a fraction of what a query costs here.
 *
 * @param sequence The quoted name of the sequence that positions come from.
 */
export function createAppendFunctions(names: TableNames, sequence: string): string[] {
  const { events: e, tags: t } = names;
  const { one, many } = appendFunctions(names);
  const columns = [e.position, e.stream, e.version, e.id, e.type, e.schema_version, e.time, e.tags, e.metadata, e.data].join(
    ', ',
  );
  const next = `nextval('${literal(sequence)}')`;
  const mark = `IF lock_mode = 'try' OR current_setting('eventfold.marked_' || replace(space::text, '-', '_'), true) IS DISTINCT FROM pg_current_xact_id()::text THEN
    marker := coalesce(pg_sequence_last_value('${literal(sequence)}'), 0);
    PERFORM pg_advisory_xact_lock_shared(((space & 32767)::bigint << 48) | marker);
    IF lock_mode <> 'try' THEN
      PERFORM set_config('eventfold.marked_' || replace(space::text, '-', '_'), pg_current_xact_id()::text, true);
    END IF;
  END IF;`;
  const isStored = (id: string) => `EXISTS (SELECT FROM ${e.table} AS x WHERE x.${e.id} = ${id})`;
  const repeated = `IF ${isStored('new_id')} THEN
      RETURN 'duplicate:' || new_id;
    END IF;`;
  const repeatedGroups = `SELECT a_group[u.a], u.id FROM unnest(e_append, e_id) AS u(a, id) WHERE ${isStored('u.id')}`;
  const declarations = `
  space int := '${literal(e.table)}'::regclass::oid::int;
  newest bigint;
  wanted_tags text[];
  wanted_types text[];
  scanned_tag text;
  version_now int;
  marker bigint;
  previous text;`;
  const checkPlace = (place: string) => `IF ${place} <= marker THEN
    RAISE EXCEPTION 'Position % is not above the marker %: the sequence must not cache (ALTER SEQUENCE … CACHE 1).', ${place}, marker;
  END IF;`;
  return [
    `
CREATE OR REPLACE FUNCTION ${one}(
  lock_mode text, exclusive_keys text[], shared_keys text[],
  new_stream text, expected int, c_after bigint, c_types text[], c_tags text[],
  new_id text, new_type text, new_schema_version int, new_time text, new_tags text, new_metadata text, new_data text, tag_list text[]
) RETURNS text LANGUAGE plpgsql AS $function$
DECLARE${declarations}
  latest_match bigint;
  new_place bigint;
BEGIN
  IF lock_mode = 'try' THEN
    IF NOT (pg_try_advisory_xact_lock_shared(space, 0)
        AND pg_try_advisory_xact_lock(space, hashtext('s' || new_stream))
        AND pg_try_advisory_xact_lock_shared(space, hashtext('t' || new_type))) THEN
      RETURN 'busy:';
    END IF;
    IF exclusive_keys IS NOT NULL THEN
      FOR i IN 1 .. cardinality(exclusive_keys) LOOP
        IF NOT pg_try_advisory_xact_lock(space, hashtext(exclusive_keys[i])) THEN
          RETURN 'busy:';
        END IF;
      END LOOP;
    END IF;
    IF shared_keys IS NOT NULL THEN
      FOR i IN 1 .. cardinality(shared_keys) LOOP
        IF NOT pg_try_advisory_xact_lock_shared(space, hashtext(shared_keys[i])) THEN
          RETURN 'busy:';
        END IF;
      END LOOP;
    END IF;
  ELSE
    ${waitForLocks(
      e,
      `SELECT 's' || new_stream AS k, true AS x UNION ALL SELECT 't' || new_type, false
        UNION ALL SELECT u.k, true FROM unnest(exclusive_keys) AS u(k) UNION ALL SELECT u.k, false FROM unnest(shared_keys) AS u(k)`,
    )}
    ${repeated}
  END IF;
  IF c_types IS NOT NULL THEN
    FOR i IN 1 .. cardinality(c_types) LOOP
      ${newestMatch(names, 'c_after', 'c_types[i]', 'c_tags[i]')}
      latest_match := greatest(latest_match, newest);
    END LOOP;
    IF latest_match IS NOT NULL THEN
      ${repeated}
      RETURN 'conflict:' || latest_match;
    END IF;
  END IF;
  SELECT x.${e.version} INTO version_now FROM ${e.table} AS x WHERE x.${e.stream} = new_stream ORDER BY x.${e.version} DESC LIMIT 1;
  version_now := coalesce(version_now, 0);
  IF expected <> -1 AND expected <> version_now AND NOT (expected = -2 AND version_now > 0) THEN
    ${repeated}
    RETURN 'version:' || version_now;
  END IF;
  ${mark}
  new_place := ${next};
  ${checkPlace('new_place')}
  INSERT INTO ${e.table} (${columns})
  VALUES (new_place, new_stream, version_now + 1, new_id, new_type, new_schema_version, new_time, new_tags, new_metadata, new_data);
  IF tag_list IS NOT NULL THEN
    INSERT INTO ${t.table} (${t.tag}, ${t.position}, ${t.type}) SELECT u, new_place, new_type FROM unnest(tag_list) AS u;
  END IF;
  RETURN 'stored:' || version_now || ':' || new_place || ':' || coalesce(previous, '');
END
$function$`,
    `
CREATE OR REPLACE FUNCTION ${many}(
  lock_mode text, is_simple boolean, l_group int[], l_key text[], l_exclusive boolean[],
  a_group int[], a_stream text[], a_first int[], a_expected int[], a_count int[],
  c_append int[], c_after bigint[], c_types text[], c_tags text[],
  e_append int[], e_number int[], e_stream text[], e_id text[], e_type text[], e_schema_version int[], e_time text[],
  e_tags text[], e_metadata text[], e_data text[],
  t_event int[], t_tag text[], t_type text[],
  OUT bases int[], OUT positions text[], OUT refusals text[], OUT newest_before text
) LANGUAGE plpgsql AS $function$
DECLARE${declarations}
  refused int[] := '{}';
  current int[];
  places bigint[] := '{}';
  accepted int := 0;
  group_number int;
  is_accepted boolean;
  first_of_group int := 1;
  last_of_group int;
BEGIN
  refusals := '{}';
  IF lock_mode = 'try' THEN
    IF NOT pg_try_advisory_xact_lock_shared(space, 0) THEN
      refused := a_group;
    ELSE
      refused := ARRAY(
        SELECT u.g FROM unnest(l_group, l_key, l_exclusive) AS u(g, k, x)
        WHERE NOT CASE WHEN u.x THEN pg_try_advisory_xact_lock(space, hashtext(u.k))
                       ELSE pg_try_advisory_xact_lock_shared(space, hashtext(u.k)) END);
    END IF;
    FOR i IN 1 .. cardinality(refused) LOOP
      refusals := refusals || (refused[i] || ':0:busy:');
    END LOOP;
  ELSE
    ${waitForLocks(e, `SELECT u.k, u.x FROM unnest(l_key, l_exclusive) AS u(k, x)`)}
    FOR group_number, scanned_tag IN ${repeatedGroups} LOOP
      refused := refused || group_number;
      refusals := refusals || (group_number || ':0:duplicate:' || scanned_tag);
    END LOOP;
  END IF;

  IF c_append IS NOT NULL THEN
    FOR i IN 1 .. cardinality(c_append) LOOP
      ${newestMatch(names, 'c_after[i]', 'c_types[i]', 'c_tags[i]')}
      IF newest IS NOT NULL THEN
        group_number := a_group[c_append[i]];
        refused := refused || group_number;
        refusals := refusals || (group_number || ':' || c_append[i] || ':conflict:' || newest);
      END IF;
    END LOOP;
  END IF;

  IF is_simple AND cardinality(refused) = 0 THEN
    -- No stream twice, and each group a single append: one query decides for all of them.
    bases := ARRAY(
      SELECT CASE WHEN u.expected IN (-1, v.version) OR u.expected = -2 AND v.version > 0 THEN v.version ELSE -1 - v.version END
      FROM unnest(a_stream, a_expected) WITH ORDINALITY AS u(stream, expected, n)
      CROSS JOIN LATERAL (
        SELECT coalesce((
          SELECT x.${e.version} FROM ${e.table} AS x WHERE x.${e.stream} = u.stream ORDER BY x.${e.version} DESC LIMIT 1), 0) AS version
        OFFSET 0
      ) AS v ORDER BY u.n);
    accepted := cardinality(e_append);
    IF 0 > ANY (bases) THEN
      FOR i IN 1 .. cardinality(bases) LOOP
        IF bases[i] < 0 THEN
          refusals := refusals || (i || ':' || i || ':version:' || (-1 - bases[i]));
          accepted := accepted - a_count[i];
        END IF;
      END LOOP;
    END IF;
  ELSE
  current := ARRAY(
    SELECT CASE WHEN u.first = u.n THEN coalesce((
      SELECT x.${e.version} FROM ${e.table} AS x WHERE x.${e.stream} = u.stream ORDER BY x.${e.version} DESC LIMIT 1), 0) ELSE 0 END
    FROM unnest(a_stream, a_first) WITH ORDINALITY AS u(stream, first, n));
  WHILE first_of_group <= cardinality(a_group) LOOP
    group_number := a_group[first_of_group];
    last_of_group := first_of_group;
    is_accepted := NOT group_number = ANY (refused);
    WHILE a_group[last_of_group] = group_number LOOP
      version_now := current[a_first[last_of_group]];
      IF is_accepted AND NOT (a_expected[last_of_group] IN (-1, version_now) OR a_expected[last_of_group] = -2 AND version_now > 0) THEN
        is_accepted := false;
        refusals := refusals || (group_number || ':' || last_of_group || ':version:' || version_now);
      END IF;
      last_of_group := last_of_group + 1;
    END LOOP;
    WHILE first_of_group < last_of_group LOOP
      IF is_accepted THEN
        bases[first_of_group] := current[a_first[first_of_group]];
        current[a_first[first_of_group]] := bases[first_of_group] + a_count[first_of_group];
        accepted := accepted + a_count[first_of_group];
      ELSE
        bases[first_of_group] := -1;
      END IF;
      first_of_group := first_of_group + 1;
    END LOOP;
  END LOOP;
  END IF;

  IF lock_mode = 'try' AND cardinality(refusals) > 0 THEN
    FOR group_number, scanned_tag IN ${repeatedGroups} LOOP
      refusals := refusals || (group_number || ':0:duplicate:' || scanned_tag);
    END LOOP;
  END IF;

  IF accepted > 0 THEN
    ${mark}
    IF accepted = cardinality(e_append) THEN
      places := ARRAY(SELECT ${next} FROM generate_series(1, accepted));
    ELSE
      FOR i IN 1 .. cardinality(e_append) LOOP
        places[i] := CASE WHEN bases[e_append[i]] >= 0 THEN ${next} END;
      END LOOP;
    END IF;
    ${checkPlace('(SELECT min(u) FROM unnest(places) AS u)')}
    INSERT INTO ${e.table} (${columns})
    SELECT u.place, u.stream, bases[u.a] + u.n, u.id, u.type, u.schema_version, u.time, u.tags, u.metadata, u.data
    FROM unnest(places, e_append, e_number, e_stream, e_id, e_type, e_schema_version, e_time, e_tags, e_metadata, e_data)
      AS u(place, a, n, stream, id, type, schema_version, time, tags, metadata, data)
    WHERE u.place IS NOT NULL;
    IF t_event IS NOT NULL THEN
      INSERT INTO ${t.table} (${t.tag}, ${t.position}, ${t.type})
      SELECT u.tag, p.place, u.type FROM unnest(t_event, t_tag, t_type) AS u(event, tag, type)
      JOIN unnest(places) WITH ORDINALITY AS p(place, n) ON p.n = u.event
      WHERE p.place IS NOT NULL;
    END IF;
  END IF;
  positions := places::text[];
  newest_before := previous;
END
$function$`,
  ];
}

/** PL/pgSQL that waits for locks, all in one order, so that two who wait for some of the same do not wait for each other. */
function waitForLocks(e: TableNames['events'], keys: string): string {
  return `
    IF lock_mode = 'alone' THEN
      PERFORM pg_advisory_xact_lock(space, 0);
      SELECT max(x.${e.position})::text INTO previous FROM ${e.table} AS x;
    ELSE
      PERFORM pg_advisory_xact_lock_shared(space, 0);
    END IF;
    PERFORM CASE WHEN s.x THEN pg_advisory_xact_lock(space, s.k) ELSE pg_advisory_xact_lock_shared(space, s.k) END
    FROM (SELECT hashtext(q.k) AS k, bool_or(q.x) AS x FROM (${keys}) AS q GROUP BY 1 ORDER BY 1 OFFSET 0) AS s;`;
}

/** PL/pgSQL that sets `newest` to the newest position after `after` which matches a criterion. */
function newestMatch({ events: e, tags: t }: TableNames, after: string, types: string, tags: string): string {
  return `
      newest := NULL;
      wanted_types := ${types}::text[];
      wanted_tags := ${tags}::text[];
      IF cardinality(wanted_tags) > 0 THEN
        scanned_tag := wanted_tags[1];
        IF cardinality(wanted_tags) = 1 THEN
          SELECT x.${t.position} INTO newest FROM ${t.table} AS x
          WHERE x.${t.tag} = scanned_tag AND x.${t.position} > ${after} AND (wanted_types IS NULL OR x.${t.type} = ANY (wanted_types))
          ORDER BY x.${t.position} DESC LIMIT 1;
        ELSE
          SELECT w INTO scanned_tag FROM unnest(wanted_tags) AS w ORDER BY (
            SELECT count(*) FROM (SELECT FROM ${t.table} AS x WHERE x.${t.tag} = w AND x.${t.position} > ${after} LIMIT 64) AS few
          ) LIMIT 1;
          SELECT x.${t.position} INTO newest FROM ${t.table} AS x
          WHERE x.${t.tag} = scanned_tag AND x.${t.position} > ${after} AND (wanted_types IS NULL OR x.${t.type} = ANY (wanted_types))
            AND NOT EXISTS (
              SELECT FROM unnest(wanted_tags) AS w WHERE NOT EXISTS (
                SELECT FROM ${t.table} AS y WHERE y.${t.tag} = w AND y.${t.position} = x.${t.position}))
          ORDER BY x.${t.position} DESC LIMIT 1;
        END IF;
      ELSIF wanted_types IS NULL THEN
        SELECT x.${e.position} INTO newest FROM ${e.table} AS x
        WHERE x.${e.position} > ${after} ORDER BY x.${e.position} DESC LIMIT 1;
      ELSE
        SELECT max((
          SELECT x.${e.position} FROM ${e.table} AS x WHERE x.${e.type} = w AND x.${e.position} > ${after}
          ORDER BY x.${e.position} DESC LIMIT 1)) INTO newest FROM unnest(wanted_types) AS w;
      END IF;`;
}

function literal(text: string): string {
  return text.replaceAll("'", "''");
}
