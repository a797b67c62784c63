import type { DataSource } from 'typeorm';
import type { ColumnMetadata } from './entity-column';

/** @returns why a value cannot be kept, or would come back as another; undefined where it can. */
export type Check = (value: unknown) => string | undefined;

const jsonTypes = new Set<unknown>(['json', 'jsonb', 'simple-json']);
/** Those whose texts TypeORM makes a `Date` of. */
const momentTypes = /^(datetime|timestamp)/;
const timeTypes = /^(date|time)/;
const halfPair = /\p{Surrogate}/u;

/** @returns what to ask of the value of a property before it is written. */
export function propertyCheckOf({ type, isArray, transformer }: ColumnMetadata): Check {
  // A transformer makes what it likes of it.
  if (transformer !== undefined || isArray) return () => undefined;
  if (jsonTypes.has(type)) return (value) => jsonObstacle(value, '');
  if (type === 'simple-array') return listObstacle;
  if (type === Date || (typeof type === 'string' && momentTypes.test(type))) return momentObstacle;
  if (typeof type === 'string' && timeTypes.test(type)) return timeObstacle;
  return () => undefined;
}

/** @returns what to ask of the parameter that the value of a property becomes. */
export function parameterCheckOf({ options }: DataSource, { isArray }: ColumnMetadata): Check {
  if (options.type === 'postgres') return isArray ? () => undefined : wordObstacle;
  return options.type === 'better-sqlite3' ? sqliteObstacle : objectObstacle;
}

/** @returns what to ask of what a column of texts gets. */
export function textObstacle(value: unknown): string | undefined {
  if (typeof value === 'string') return halfPair.test(value) ? 'holds half a surrogate pair, which no database keeps' : undefined;
  const isOther = typeof value === 'object' && value !== null && !(value instanceof Date) && !Buffer.isBuffer(value);
  return isOther ? `is ${nameOf(value)}; its column keeps texts` : undefined;
}

function wordObstacle(value: unknown): string | undefined {
  return typeof value === 'function' || typeof value === 'symbol' ? `is a ${typeof value}, which no column keeps` : undefined;
}

/** A driver would take it for several values, or for none that it knows. */
function objectObstacle(value: unknown): string | undefined {
  const isOther = typeof value === 'object' && value !== null && !(value instanceof Date) && !ArrayBuffer.isView(value);
  return isOther ? `is ${nameOf(value)}, which its column cannot keep` : wordObstacle(value);
}

/** This driver reads texts up to the first NUL, and takes whole numbers of 64 bits. */
function sqliteObstacle(value: unknown): string | undefined {
  if (typeof value === 'string') return value.includes('\0') ? 'holds NUL, which this database cuts off' : undefined;
  if (typeof value !== 'bigint') return objectObstacle(value);
  return BigInt.asIntN(64, value) === value ? undefined : `is ${value}, which is beyond 64 bits`;
}

function momentObstacle(value: unknown): string | undefined {
  if (typeof value !== 'string') return timeObstacle(value);
  return Number.isNaN(Date.parse(value)) ? `is "${value}", which is no time` : undefined;
}

function timeObstacle(value: unknown): string | undefined {
  return value instanceof Date && Number.isNaN(value.getTime()) ? 'is an invalid Date' : undefined;
}

function listObstacle(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  const isKept = Array.isArray(value) && value.every((item) => typeof item === 'string' && !item.includes(','));
  if (isKept && !(value.length === 1 && value[0] === '')) return undefined;
  return 'would come back as another list: a simple-array keeps texts without commas. Make it a json column';
}

/** What JSON has no word for would be one thing until the instance is read again, and then another. */
function jsonObstacle(value: unknown, path: string): string | undefined {
  const at = path === '' ? 'is' : `has at ${path}`;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${at} ${value}, which JSON has no word for`;
  if (typeof value !== 'object' || value === null) return undefined;
  if (isOdd(value))
    return `${at} ${nameOf(value)}, which JSON has no word for. Keep a text or plain data, or give the column a transformer`;
  for (const name of Object.keys(value)) {
    const found = jsonObstacle((value as Record<string, unknown>)[name], path === '' ? name : `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Instances of users' classes come back as plain data, which is theirs to know. */
function isOdd(value: object): boolean {
  return value instanceof Map || value instanceof Set || ArrayBuffer.isView(value) || 'toJSON' in value;
}

function nameOf(value: unknown): string {
  const { name } = (value as object).constructor ?? Object;
  return /^[AEIOU]/.test(name) ? `an ${name}` : `a ${name}`;
}
