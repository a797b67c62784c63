import type { DataSource } from 'typeorm';
import type { ColumnMetadata } from './entity-column';
import { UnfitValueError } from './entity-errors';
import { parameterCheckOf, propertyCheckOf, textObstacle } from './entity-value-checks';

type Convert = (value: unknown) => unknown;

/** What a property was declared to hold. */
export type Declared = 'number' | 'bigint' | 'boolean' | 'string' | 'date' | 'bytes' | undefined;

const integerTypes = new Set<unknown>([
  ...['int', 'integer', 'int2', 'int4', 'int8', 'smallint', 'mediumint', 'tinyint', 'bigint', 'unsigned big int'],
  Number,
]);
const textTypes = new Set<unknown>([
  ...['text', 'varchar', 'character varying', 'char', 'character', 'nvarchar', 'tinytext', 'mediumtext', 'longtext', 'citext'],
  String,
]);
const floatTypes = ['float', 'float4', 'float8', 'double', 'double precision', 'real', 'numeric', 'decimal', 'dec', 'fixed'];
const binaryTypes = ['bytea', 'blob', 'tinyblob', 'mediumblob', 'longblob', 'binary', 'varbinary'];
/** TypeORM leaves values of these as they are. */
const plainTypes = new Set<unknown>([...integerTypes, ...textTypes, ...floatTypes, ...binaryTypes, 'uuid']);

/** Drivers give numbers as texts that a JavaScript number may not hold. */
const exactTypes = new Set<unknown>(['bigint', 'int8', 'unsigned big int', 'numeric', 'decimal', 'dec', 'fixed']);

/** SQLite keeps other texts in such a column, too. */
const wholeNumber = /^\s*[-+]?\d+\s*$/;

export function isExactNumber({ type, isArray, transformer }: ColumnMetadata): boolean {
  return exactTypes.has(type) && !isArray && transformer === undefined;
}

/** The driver of MySQL does not round what it reads to the nearest number: it is asked for a text. */
export function isDouble({ type, transformer }: ColumnMetadata): boolean {
  return (type === 'double' || type === 'double precision' || type === 'real') && transformer === undefined;
}

export function isText({ type }: ColumnMetadata): boolean {
  return textTypes.has(type);
}

/** @returns how a value of the database becomes one of the property. */
export function readerOf(dataSource: DataSource, column: ColumnMetadata, declared: Declared): Convert {
  const read = plainReaderOf(dataSource, column, declared);
  return isLeftAsItIs(column) ? read : blaming(column, 'cannot be read', read);
}

function plainReaderOf({ driver }: DataSource, column: ColumnMetadata, declared: Declared): Convert {
  if (column.transformer !== undefined) return (value) => driver.prepareHydratedValue(value, column);
  const conform = conforming(column, declared);
  if (isLeftAsItIs(column)) return conform;
  return (value) => conform(driver.prepareHydratedValue(value, column));
}

/** TypeORM makes nothing else of its values, and so nothing of users' can fail. */
function isLeftAsItIs({ type, transformer }: ColumnMetadata): boolean {
  return transformer === undefined && (plainTypes.has(type) || type === Boolean);
}

/** @returns how a value of the property becomes one of the database. */
export function writerOf(dataSource: DataSource, column: ColumnMetadata): Convert {
  const [checkProperty, checkParameter] = [propertyCheckOf(column), parameterCheckOf(dataSource, column)];
  const write = plainWriterOf(dataSource, column);
  const refuse = (problem: string | undefined): void => {
    if (problem !== undefined) throw unfit(column, problem);
  };
  const checked: Convert = (value) => {
    const parameter = write(value);
    refuse(checkProperty(value) ?? checkParameter(parameter));
    return parameter;
  };
  return isLeftAsItIs(column) ? checked : blaming(column, 'cannot be written', checked);
}

function plainWriterOf(dataSource: DataSource, column: ColumnMetadata): Convert {
  const { driver } = dataSource;
  const isPlain = column.transformer === undefined && (plainTypes.has(column.type) || column.isArray);
  const persist: Convert = isPlain ? (value) => value : (value) => driver.preparePersistentValue(value, column);
  if (column.isArray) return persist;
  if (integerTypes.has(column.type)) return (value) => integer(column, persist(value));
  if (textTypes.has(column.type)) return (value) => text(column, persist(value));
  if (dataSource.options.type === 'postgres') return persist;
  return (value) => finite(column, persist(value));
}

/** What a transformer throws, or TypeORM, is about this value: nothing else of the projection is to stand still for it. */
function blaming(column: ColumnMetadata, problem: string, convert: Convert): Convert {
  return (value) => {
    try {
      return convert(value);
    } catch (error) {
      if (error instanceof UnfitValueError) throw error;
      throw unfit(column, `${problem}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
}

function integer(column: ColumnMetadata, value: unknown): unknown {
  if (typeof value === 'number' ? Number.isSafeInteger(value) : typeof value !== 'string' || wholeNumber.test(value))
    return value;
  throw unfit(column, `is ${value}; its column keeps whole numbers that are exact`);
}

function text(column: ColumnMetadata, value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const problem = textObstacle(value);
  if (problem !== undefined) throw unfit(column, problem);
  return value;
}

function finite(column: ColumnMetadata, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw unfit(column, `is ${value}, which this database cannot keep`);
}

function conforming(column: ColumnMetadata, declared: Declared): Convert {
  if (column.isArray) return (value) => value;
  switch (declared) {
    case 'number':
      return (value) => (typeof value === 'string' || typeof value === 'bigint' ? numberOf(column, value) : value);
    case 'bigint':
      return (value) => (typeof value === 'string' || typeof value === 'number' ? bigintOf(column, value) : value);
    case 'boolean':
      return (value) => (typeof value === 'number' ? value !== 0 : Buffer.isBuffer(value) ? value.some(Boolean) : value);
    case 'string':
      return textOf;
    case 'date':
      return (value) => (typeof value === 'string' && column.type === 'date' ? dayOf(value, column) : value);
    case 'bytes':
      return (value) => (value instanceof Uint8Array && !Buffer.isBuffer(value) ? Buffer.from(value) : value);
    default:
      if (isDouble(column)) return (value) => (typeof value === 'string' ? Number(value) : value);
      return (value) => value;
  }
}

function numberOf(column: ColumnMetadata, value: string | bigint): number {
  const number = Number(value);
  if (integerTypes.has(column.type) && !Number.isSafeInteger(number))
    throw unfit(column, `is ${value} in the database, which is no exact number. Declare it as bigint, or as string`);
  return number;
}

function bigintOf(column: ColumnMetadata, value: string | number): bigint {
  const digits = String(value).replace(/\.0*$/, '');
  if (/^-?\d+$/.test(digits)) return BigInt(digits);
  throw unfit(column, `is ${value} in the database, which is no whole number`);
}

function textOf(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
}

/** TypeORM takes the day of a `Date` by its local time. */
function dayOf(value: string, { utc }: ColumnMetadata & { utc?: boolean }): Date {
  return new Date(utc ? `${value}T00:00:00.000Z` : `${value}T00:00:00.000`);
}

function unfit({ entityMetadata, propertyPath }: ColumnMetadata, problem: string, options?: ErrorOptions): UnfitValueError {
  return new UnfitValueError(entityMetadata.name, propertyPath, problem, options);
}
