import type { InstanceId, SavedInstance } from '../../../store/projection-store';
import { type EntityColumn, partOf, propertyValue, setPropertyValue } from './entity-column';
import type { EntityModel } from './entity-model';
import { StrayProperties } from './stray-properties';

/** Rows that are written with the same columns. */
export interface RowGroup {
  /** All that a row is inserted with, the keys among them. */
  readonly columns: readonly EntityColumn[];
  /** What changes in a row that is there. */
  readonly updated: readonly EntityColumn[];
  readonly rows: unknown[][];
}

/** Makes instances of rows, and rows of instances. */
export class EntityRows {
  /** What columns that are left alone were loaded with, so that what handlers set is told from it. */
  private readonly loaded = new WeakMap<object, readonly unknown[]>();
  private readonly own: readonly EntityColumn[];
  /** Those that may be missing when a row is written. */
  private readonly optional: readonly EntityColumn[];
  private readonly strays: StrayProperties;

  constructor(private readonly model: EntityModel) {
    this.own = model.columns.filter(({ isOwn }) => isOwn);
    this.optional = model.columns.filter(({ hasDefault }) => hasDefault);
    this.strays = new StrayProperties(model.metadata);
  }

  instanceOf(row: Readonly<Record<string, unknown>>): object {
    const instance: object = Reflect.construct(this.model.definition.target as new () => object, []);
    const empty: EntityColumn[] = [];
    for (const column of this.model.columns) {
      const value = column.read(row[column.name]);
      if (value !== null && value !== undefined) setPropertyValue(column, instance, value);
      else if (column.parts.length === 0) setPropertyValue(column, instance, column.empty);
      else empty.push(column);
    }
    // A part that a new instance lacks is made when one of its columns holds something.
    for (const column of empty)
      if (partOf(column.parts, instance) !== undefined) setPropertyValue(column, instance, column.empty);
    this.remember(instance);
    return instance;
  }

  /** @returns what the keys of an instance are in the database. */
  keyOf(id: InstanceId): unknown[] {
    const { keys, definition } = this.model;
    const fresh = keys.some((key) => key.id < 0) ? definition.create(id) : undefined;
    return keys.map((key) => key.write(key.id < 0 ? fresh && propertyValue(key, fresh) : id.values[key.id]));
  }

  keyOfState(state: object): unknown[] {
    return this.model.keys.map((key) => key.write(propertyValue(key, state)));
  }

  /** @returns rows to be inserted. */
  inserted(saved: readonly SavedInstance[]): RowGroup[] {
    const columns = this.model.columns.filter(({ isInserted }) => isInserted);
    return this.grouped(saved, (instance) => ({
      columns: columns.filter((column) => !this.optional.includes(column) || this.isGiven(column, instance.state)),
      updated: [],
    }));
  }

  /** @returns rows that change, with what they would be inserted with. */
  updated(saved: readonly SavedInstance[]): RowGroup[] {
    const { columns } = this.model;
    return this.grouped(saved, ({ state }) => {
      const loaded = this.loaded.get(state);
      const updated = columns.filter((column) => column.isUpdated && this.isChanged(column, state, loaded));
      const others = columns.filter((column) => column.isInserted && this.isGivenOrNeeded(column, state));
      return { columns: [...new Set([...others, ...updated])], updated };
    });
  }

  /** Takes what handlers have set for what was loaded, once it is kept. */
  remember(state: object): void {
    if (this.own.length > 0)
      this.loaded.set(
        state,
        this.own.map((column) => propertyValue(column, state)),
      );
  }

  private grouped(
    saved: readonly SavedInstance[],
    choose: (instance: SavedInstance) => Pick<RowGroup, 'columns' | 'updated'>,
  ): RowGroup[] {
    const groups = new Map<string, RowGroup>();
    let common: RowGroup | undefined;
    for (const instance of saved) {
      let group = common;
      if (group === undefined) {
        const chosen = choose(instance);
        const key = `${chosen.columns.map(({ name }) => name).join()};${chosen.updated.map(({ name }) => name).join()}`;
        group = groups.get(key) ?? { ...chosen, rows: [] };
        groups.set(key, group);
        // Without columns that may be missing all rows are alike.
        if (this.optional.length === 0) common = group;
      }
      group.rows.push(this.rowOf(instance, group.columns));
    }
    return [...groups.values()];
  }

  private rowOf({ id, state }: SavedInstance, columns: readonly EntityColumn[]): unknown[] {
    this.strays.refuse(state);
    return columns.map((column) => {
      if (column.id >= 0) return column.write(id.values[column.id]);
      return column.write(propertyValue(column, state)) ?? column.initial() ?? null;
    });
  }

  private isGiven(column: EntityColumn, state: object): boolean {
    return propertyValue(column, state) !== undefined || column.initial() !== undefined;
  }

  private isGivenOrNeeded(column: EntityColumn, state: object): boolean {
    return !column.hasDefault || this.isGiven(column, state);
  }

  private isChanged(column: EntityColumn, state: object, loaded: readonly unknown[] | undefined): boolean {
    if (!column.hasDefault) return true;
    const value = propertyValue(column, state);
    if (value === undefined) return false;
    return !column.isOwn || value !== loaded?.[this.own.indexOf(column)];
  }
}
