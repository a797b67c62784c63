import type { TableNames } from './tables';

/** Raised with every change of the functions below, so that two releases of the library can share a database. */
export const functionsRevision = 1;

/** The quoted name of the function that appends. */
export function appendFunction({ events }: TableNames): string {
  return `${events.table.slice(0, -1)}_append_${functionsRevision}"`;
}

/**
 * SQL that makes the function which appends a batch of groups (each one call of `append`), each group with its own
 * outcome, in one round trip.
 *
 * In this order, for each is a reason: the locks, so that what is checked stays so until the commit; the guards, so
 * that a loser uses up no position; the marker, then the positions.
 *
 * The marker is what keeps readers from falling into gaps: a shared lock whose key holds the newest position that was
 * given out so far. Whatever the transaction stores lies above it, so a reader that sees the lock goes no further.
 *
 * @param sequence The quoted name of the sequence that positions come from.
 */
export function createAppendFunction(names: TableNames, sequence: string): string {
  const { events: e, tags: t } = names;
  return `
CREATE OR REPLACE FUNCTION ${appendFunction(names)}(
  lock_mode text,
  l_group int[], l_key text[], l_exclusive boolean[],
  a_group int[], a_stream text[], a_first int[], a_expected int[], a_count int[],
  c_append int[], c_after bigint[], c_types text[], c_tags text[],
  e_append int[], e_number int[], e_stream text[], e_id text[], e_type text[], e_schema_version int[], e_time text[],
  e_tags text[], e_metadata text[], e_data text[],
  t_event int[], t_tag text[], t_type text[],
  OUT bases int[], OUT positions text[], OUT refusals text[], OUT previous text
) LANGUAGE plpgsql AS $function$
DECLARE
  space int := '${literal(e.table)}'::regclass::oid::int;
  refused int[] := '{}';
  current int[];
  places bigint[];
  accepted int := 0;
  group_number int;
  is_accepted boolean;
  first_of_group int := 1;
  last_of_group int;
  newest bigint;
  found_position bigint;
  wanted_tags text[];
  scanned_tag text;
  wanted_types text[];
  version_now int;
  marker bigint;
BEGIN
  refusals := '{}';
  IF lock_mode = 'try' THEN
    IF pg_try_advisory_xact_lock_shared(space, 0) THEN
      refused := ARRAY(
        SELECT DISTINCT u.g FROM unnest(l_group, l_key, l_exclusive) AS u(g, k, x)
        WHERE NOT CASE WHEN u.x THEN pg_try_advisory_xact_lock(space, hashtext(u.k))
                       ELSE pg_try_advisory_xact_lock_shared(space, hashtext(u.k)) END);
    ELSE
      refused := ARRAY(SELECT DISTINCT g FROM unnest(a_group) AS g);
    END IF;
    refusals := ARRAY(SELECT g || ':0:busy:' FROM unnest(refused) AS g);
  ELSE
    IF lock_mode = 'alone' THEN
      PERFORM pg_advisory_xact_lock(space, 0);
    ELSE
      PERFORM pg_advisory_xact_lock_shared(space, 0);
    END IF;
    PERFORM CASE WHEN s.x THEN pg_advisory_xact_lock(space, s.k) ELSE pg_advisory_xact_lock_shared(space, s.k) END
    FROM (
      SELECT hashtext(u.k) AS k, bool_or(u.x) AS x FROM unnest(l_key, l_exclusive) AS u(k, x) GROUP BY 1 ORDER BY 1 OFFSET 0
    ) AS s;
    IF lock_mode = 'alone' THEN
      SELECT max(${e.position})::text INTO previous FROM ${e.table};
    END IF;
  END IF;

  IF c_append IS NOT NULL THEN
    FOR i IN 1 .. cardinality(c_append) LOOP
      newest := NULL;
      group_number := a_group[c_append[i]];
      wanted_types := c_types[i]::text[];
      wanted_tags := c_tags[i]::text[];
      IF cardinality(wanted_tags) > 0 THEN
        scanned_tag := wanted_tags[1];
        IF cardinality(wanted_tags) > 1 THEN
          SELECT w INTO scanned_tag FROM unnest(wanted_tags) AS w ORDER BY (
            SELECT count(*) FROM (SELECT FROM ${t.table} AS x WHERE x.${t.tag} = w AND x.${t.position} > c_after[i] LIMIT 64) AS few
          ) LIMIT 1;
        END IF;
        SELECT x.${t.position} INTO newest FROM ${t.table} AS x
        WHERE x.${t.tag} = scanned_tag AND x.${t.position} > c_after[i]
          AND (wanted_types IS NULL OR x.${t.type} = ANY (wanted_types))
          AND (cardinality(wanted_tags) = 1 OR NOT EXISTS (
            SELECT FROM unnest(wanted_tags) AS w WHERE NOT EXISTS (
              SELECT FROM ${t.table} AS y WHERE y.${t.tag} = w AND y.${t.position} = x.${t.position})))
        ORDER BY x.${t.position} DESC LIMIT 1;
      ELSIF wanted_types IS NULL THEN
        SELECT x.${e.position} INTO newest FROM ${e.table} AS x
        WHERE x.${e.position} > c_after[i] ORDER BY x.${e.position} DESC LIMIT 1;
      ELSE
        SELECT max((
          SELECT x.${e.position} FROM ${e.table} AS x WHERE x.${e.type} = w AND x.${e.position} > c_after[i]
          ORDER BY x.${e.position} DESC LIMIT 1)) INTO newest FROM unnest(wanted_types) AS w;
      END IF;
      IF newest IS NOT NULL THEN
        refused := refused || group_number;
        refusals := refusals || (group_number || ':' || c_append[i] || ':conflict:' || newest);
      END IF;
    END LOOP;
  END IF;

  FOR group_number, scanned_tag IN
    SELECT a_group[u.a], u.id FROM unnest(e_append, e_id) AS u(a, id)
    WHERE EXISTS (SELECT FROM ${e.table} AS x WHERE x.${e.id} = u.id)
  LOOP
    refused := refused || group_number;
    refusals := refusals || (group_number || ':0:duplicate:' || scanned_tag);
  END LOOP;

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

  IF accepted > 0 THEN
    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END INTO marker FROM ${sequence};
    PERFORM pg_advisory_xact_lock_shared(((space & 32767)::bigint << 48) | marker);
    places := ARRAY(
      SELECT CASE WHEN bases[u.a] >= 0 THEN nextval('${literal(sequence)}') END
      FROM unnest(e_append) WITH ORDINALITY AS u(a, n) ORDER BY u.n);
    INSERT INTO ${e.table} (${e.position}, ${e.stream}, ${e.version}, ${e.id}, ${e.type}, ${e.schema_version}, ${e.time}, ${e.tags}, ${e.metadata}, ${e.data})
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
END
$function$`;
}

function literal(text: string): string {
  return text.replaceAll("'", "''");
}
