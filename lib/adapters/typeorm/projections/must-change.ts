import type { Statement } from '../select-events';

/** @returns a statement of PostgreSQL that fails (a division by zero) where another one changes more or fewer rows than it has to. */
export function mustChange({ sql, parameters, isFrequent }: Statement, rows: number): Statement {
  const text = `WITH changed AS (${sql} RETURNING 1) SELECT 1 / (count(*) = $${parameters.length + 1})::integer FROM changed`;
  return { sql: text, parameters: [...parameters, rows], isFrequent };
}
