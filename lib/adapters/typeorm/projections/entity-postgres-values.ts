import { textOf } from '../postgres-texts';

const native = [
  ...['smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'boolean', 'uuid', 'text', 'character varying'],
  ...['date', 'timestamp without time zone', 'timestamp with time zone', 'json', 'jsonb', 'bytea'],
];

/** Types of columns whose values drivers pass on in an array of the type. Those of all others are passed on as texts. */
export const nativeArrays: ReadonlyMap<string, string> = new Map(native.map((type) => [type, `${type}[]`]));

/** @returns how a value of a column of `type` becomes an element of the array that it is passed on in. */
export function parameterOf(type: string): (value: unknown) => unknown {
  if (type === 'json' || type === 'jsonb') return (value) => value;
  if (nativeArrays.has(type)) return (value) => (typeof value === 'bigint' ? String(value) : value);
  return (value) => (value === null || value === undefined ? null : textOf(value));
}
