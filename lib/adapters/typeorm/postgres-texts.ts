import type { Statement } from './select-events';

/** @returns the statement without parameters. Names in it may hold what looks like one. */
export function withLiterals({ sql, parameters }: Statement): string {
  return sql.replaceAll(/"[^"]*"|\$(\d+)/g, (match, index: string | undefined) => {
    return index === undefined ? match : literal(parameters[Number(index) - 1]);
  });
}

/** @returns a constant of a type that PostgreSQL finds out by where it stands. */
export function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  const text = textOf(value).replaceAll("'", "''");
  return text.includes('\\') ? ` E'${text.replaceAll('\\', '\\\\')}'` : `'${text}'`;
}

/** @returns the text that PostgreSQL reads as a value of the type it is wanted of. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(elementOf).join(',')}}`;
  if (value instanceof Date) return localTime(value);
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function elementOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  const text = textOf(value);
  return Array.isArray(value) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** As the driver writes a time: the local one, for columns without a zone, and its offset. */
function localTime(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const local = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, -1);
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${local}${offset < 0 ? '-' : '+'}${hours}:${minutes}`;
}
