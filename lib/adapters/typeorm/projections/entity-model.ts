import { randomUUID } from 'node:crypto';
import type { DataSource, EntityMetadata } from 'typeorm';
import type { StateDefinition } from '../../../store/projection-store';
import { type ColumnMetadata, type EntityColumn, partOf } from './entity-column';
import { type Declared, readerOf, writerOf } from './entity-values';

/** How instances of an entity become rows, and the other way round. */
export interface EntityModel {
  readonly metadata: EntityMetadata;
  readonly definition: StateDefinition;
  /** All that is read. */
  readonly columns: readonly EntityColumn[];
  readonly keys: readonly EntityColumn[];
}

export function entityModel(dataSource: DataSource, definition: StateDefinition): EntityModel {
  const metadata = dataSource.getMetadata(definition.target);
  const fresh = newInstance(metadata);
  const columns = keptColumns(metadata).map((column) => entityColumn(dataSource, definition, column, fresh));
  return { metadata, definition, columns, keys: columns.filter(({ isKey }) => isKey) };
}

/** @returns the columns that properties hold; those of relations have none, unless the class declares them. */
export function keptColumns(metadata: EntityMetadata): ColumnMetadata[] {
  return metadata.columns.filter(
    ({ isVirtual, isVirtualProperty, relationMetadata, propertyPath }) =>
      !isVirtual && !isVirtualProperty && relationMetadata?.propertyPath !== propertyPath,
  );
}

/** @returns an instance as TypeORM makes it, or undefined where the constructor wants arguments. */
export function newInstance({ target }: EntityMetadata): object | undefined {
  try {
    return Reflect.construct(target as new () => object, []);
  } catch {
    return undefined;
  }
}

function entityColumn(
  dataSource: DataSource,
  { ids }: StateDefinition,
  column: ColumnMetadata,
  fresh: object | undefined,
): EntityColumn {
  const place = { property: column.propertyName, parts: partsOf(column) };
  const first = fresh && firstValue(place, fresh);
  const isGenerated = column.isGenerated || column.generatedType !== undefined || column.asExpression !== undefined;
  return {
    ...place,
    metadata: column,
    name: column.databaseName,
    id: column.isPrimary ? ids.indexOf(column.propertyPath) : -1,
    isKey: column.isPrimary,
    isInserted: column.isInsert && column.generatedType === undefined && column.asExpression === undefined,
    isUpdated: column.isUpdate && !column.isPrimary && column.generatedType === undefined && column.asExpression === undefined,
    isOwn: isGenerated || isKeptByTypeOrm(column),
    hasDefault: isGenerated || isKeptByTypeOrm(column) || (column.default !== undefined && column.default !== null),
    initial: initialOf(dataSource, column),
    empty: first === undefined ? undefined : null,
    write: writerOf(dataSource, column),
    read: readerOf(dataSource, column, declaredOf(column, first)),
  };
}

/** @returns what a column holds in a new instance, or in a new part of one that has no such part at first. */
function firstValue({ property, parts }: Pick<EntityColumn, 'property' | 'parts'>, fresh: object): unknown {
  const inner = parts.at(-1);
  if (inner === undefined) return (fresh as Record<string, unknown>)[property];
  const owner = partOf(parts, fresh) ?? inner.make();
  return (owner as Record<string, unknown>)[property];
}

function isKeptByTypeOrm({ isVersion, isCreateDate, isUpdateDate, isDeleteDate }: ColumnMetadata): boolean {
  return isVersion || isCreateDate || isUpdateDate || isDeleteDate;
}

/** TypeORM gives versions, and those uuids that the database cannot make. */
function initialOf({ driver }: DataSource, column: ColumnMetadata): () => unknown {
  if (column.isVersion) return () => 1;
  const isGiven = column.isGenerated && column.generationStrategy === 'uuid' && !driver.isUUIDGenerationSupported();
  return isGiven ? () => randomUUID() : () => undefined;
}

function partsOf({ embeddedMetadata }: ColumnMetadata): EntityColumn['parts'] {
  return (embeddedMetadata?.embeddedMetadataTree ?? []).map((embedded) => ({
    property: embedded.propertyName,
    make: () => (typeof embedded.type === 'function' ? Reflect.construct(embedded.type as new () => object, []) : {}),
  }));
}

const designed = new Map<unknown, Declared>([
  [Number, 'number'],
  [BigInt, 'bigint'],
  [Boolean, 'boolean'],
  [String, 'string'],
  [Date, 'date'],
  [Buffer, 'bytes'],
]);

/** @param first What a new instance has there: compilers that write no types down leave nothing else to go by. */
export function declaredOf({ target, propertyName }: ColumnMetadata, first: unknown): Declared {
  const type: unknown =
    typeof target === 'function' ? Reflect.getMetadata('design:type', target.prototype as object, propertyName) : undefined;
  if (designed.has(type)) return designed.get(type);
  if (first instanceof Date) return 'date';
  if (Buffer.isBuffer(first)) return 'bytes';
  const kind = typeof first;
  return kind === 'number' || kind === 'bigint' || kind === 'boolean' || kind === 'string' ? kind : undefined;
}
