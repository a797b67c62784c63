import type { DataSource, EntityMetadata } from 'typeorm';
import type { ProjectionStore } from '../../../store/projection-store';
import type { ColumnMetadata } from './entity-column';
import { declaredOf, keptColumns } from './entity-model';
import { isExactNumber } from './entity-values';

/** What is wrong with a class, where, and what to do about it. */
export type EntityMistake = ReturnType<ProjectionStore['mistakes']>[number];

/** @returns what would be lost, or could not be written, of an instance. */
export function columnMistakes(dataSource: DataSource, metadata: EntityMetadata, fresh: object): EntityMistake[] {
  const relations = metadata.relations.filter(({ joinColumns }) => joinColumns.some(isNeverWritten));
  return [
    ...forgotten(fresh, namesIn(metadata), ''),
    ...relations.map(({ propertyPath }) => ({
      member: propertyPath,
      problem: 'its column may not be NULL, but projections write no relations',
      remedy: 'Let the relation be nullable, or keep its id in a @Column() of the class',
    })),
    ...keptColumns(metadata).flatMap((column) => mistakesOf(dataSource, column, valueAt(fresh, column.propertyPath))),
  ];
}

/** A column of a relation that the class has no property for. */
function isNeverWritten({ isVirtual, isNullable, default: value }: ColumnMetadata): boolean {
  return isVirtual && !isNullable && value === undefined;
}

function mistakesOf({ driver }: DataSource, column: ColumnMetadata, first: unknown): EntityMistake[] {
  const found = (problem: string, remedy: string) => [{ member: column.propertyPath, problem, remedy }];
  if ((driver.spatialTypes as readonly unknown[]).includes(column.type))
    return found(
      `values of type ${String(column.type)} cannot be kept`,
      'Keep coordinates in columns of their own, or in a json column',
    );
  const { default: value, isNullable, isInsert, isPrimary } = column;
  if (column.isGenerated || column.generatedType || column.isVersion || isDate(column)) return [];
  if (isExactNumber(column) && declaredOf(column, first) === undefined)
    return found(
      'nothing says whether it holds a number, a bigint or a text, which drivers give its column as',
      `Give it a first value, a transformer, or @Reflect.metadata('design:type', Number)`,
    );
  if (!isInsert && !isNullable && value === undefined)
    return found('it may not be NULL, but is not inserted', 'Let it be nullable, or leave "insert: false" out');
  if (isInsert && !isPrimary && value !== undefined && value !== null && first === undefined)
    return found(
      'only the database knows what it is at first: the first handlers would see undefined',
      `Give it a first value in the class as well: "${column.propertyName} = …"`,
    );
  return [];
}

function isDate({ isCreateDate, isUpdateDate, isDeleteDate }: ColumnMetadata): boolean {
  return isCreateDate || isUpdateDate || isDeleteDate;
}

/** A property that is not kept has its value until the end of a chunk, and then another one. */
function forgotten(owner: object, known: ReadonlyMap<string, ReadonlySet<string>>, path: string): EntityMistake[] {
  return Object.entries(owner).flatMap(([name, value]) => {
    const member = path === '' ? name : `${path}.${name}`;
    if (known.has(member)) return isObject(value) ? forgotten(value, known, member) : [];
    if (known.get(path)?.has(name) || typeof value === 'function') return [];
    const problem = 'it is no column: what handlers set would be forgotten';
    return [{ member, problem, remedy: `Put @Column() on "${name}", or compute it in a getter` }];
  });
}

/** @returns the properties that are kept, by the path of the part that they are in. */
export function namesIn(metadata: EntityMetadata): Map<string, Set<string>> {
  const known = new Map(
    ['', ...metadata.allEmbeddeds.map(({ propertyPath }) => propertyPath)].map((part) => [part, new Set<string>()]),
  );
  const paths = [...metadata.columns, ...metadata.relations].map(({ propertyPath }) => propertyPath);
  for (const path of [...paths, ...metadata.relationIds.map(({ propertyName }) => propertyName)]) {
    const end = path.lastIndexOf('.');
    known.get(path.slice(0, Math.max(end, 0)))?.add(path.slice(end + 1));
  }
  return known;
}

function valueAt(owner: object, path: string): unknown {
  let value: unknown = owner;
  for (const name of path.split('.')) value = isObject(value) ? (value as Record<string, unknown>)[name] : undefined;
  return value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
