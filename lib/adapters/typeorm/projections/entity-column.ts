import type { EntityMetadata } from 'typeorm';

/** What TypeORM knows of a column. */
export type ColumnMetadata = EntityMetadata['columns'][number];

/** A part of an instance that holds columns: `new` makes one where a new instance has none. */
interface EmbeddedPart {
  readonly property: string;
  make(): object;
}

/** A column that a projection's instances are kept in. */
export interface EntityColumn {
  readonly metadata: ColumnMetadata;
  /** What the database calls it. */
  readonly name: string;
  readonly property: string;
  /** Where the property is: none for one of the instance itself. */
  readonly parts: readonly EmbeddedPart[];
  /** Which of the projection's ids it holds; -1 for none. */
  readonly id: number;
  readonly isKey: boolean;
  readonly isInserted: boolean;
  readonly isUpdated: boolean;
  /** The database, or TypeORM, has a value of its own for it; it is written where handlers have set another. */
  readonly isOwn: boolean;
  /** The database has a value for a row that is inserted without one. */
  readonly hasDefault: boolean;
  /** What a row is inserted with that has no value. */
  initial(): unknown;
  /** What handlers see for NULL: as it is in a new instance. */
  readonly empty: null | undefined;
  /** @throws {@link UnfitValueError} for what would be read back as something else. */
  write(value: unknown): unknown;
  /** @throws {@link UnfitValueError} for what the property was not declared to hold. */
  read(value: unknown): unknown;
}

/** @returns the object that holds the property of a column; undefined where the instance has none. */
export function partOf(parts: EntityColumn['parts'], instance: object): object | undefined {
  let owner: unknown = instance;
  for (const { property } of parts) {
    owner = (owner as Record<string, unknown>)[property];
    if (owner === null || owner === undefined) return undefined;
  }
  return owner as object;
}

export function propertyValue({ parts, property }: EntityColumn, instance: object): unknown {
  const owner = parts.length === 0 ? instance : partOf(parts, instance);
  return owner && (owner as Record<string, unknown>)[property];
}

/** Sets a property, in a part that is made for it if there is none. */
export function setPropertyValue({ parts, property }: EntityColumn, instance: object, value: unknown): void {
  let owner = instance as Record<string, unknown>;
  for (const part of parts) {
    owner[part.property] ??= part.make();
    owner = owner[part.property] as Record<string, unknown>;
  }
  owner[property] = value;
}
