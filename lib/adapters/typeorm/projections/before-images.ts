import type { DataSource, QueryRunner } from 'typeorm';
import type { Changes, GenerationRecord, InstanceId, Role, StateDefinition } from '../../../store/projection-store';
import type { Transactions } from '../transactions';
import { placeOf, type States } from './states';

interface Image {
  readonly id: InstanceId;
  /** Undefined where there was none. */
  readonly state: object | undefined;
}

const known = new WeakMap<DataSource, Map<string, BeforeImages>>();

/** @returns what instances were before the transaction that is open on a shared connection, for the stores on one table. */
export function beforeImagesOn(dataSource: DataSource, table: string): BeforeImages {
  const byTable = known.get(dataSource) ?? new Map<string, BeforeImages>();
  known.set(dataSource, byTable);
  const images = byTable.get(table) ?? new BeforeImages();
  byTable.set(table, images);
  return images;
}

/**
 * Where all share one connection, everybody reads what the transaction that is open on it has written. What inline
 * projections were before is kept until that is over, and given to who is no part of it.
 */
export class BeforeImages {
  private readonly images = new Map<string, Map<string, Image>>();

  /** Keeps what is about to be changed in the transaction that is open on `runner`. */
  async keep(
    runner: QueryRunner,
    transactions: Transactions,
    of: {
      readonly definition: StateDefinition;
      readonly generation: GenerationRecord;
      readonly changes: Changes;
      readonly states: States;
    },
  ): Promise<void> {
    // A transaction of a store's own has the connection to itself.
    if (transactions.outermost(runner) === undefined) return;
    const { definition, generation, changes, states } = of;
    if (this.images.size === 0) transactions.onOutermostEnd(runner, () => this.images.clear());
    const images = this.imagesOf(generation);
    const ids = [...changes.saved.map(({ id }) => id), ...changes.removed].filter(({ key }) => !images.has(key));
    const before = await states.load(runner, definition, placeOf(generation), ids);
    for (const id of ids) images.set(id.key, { id, state: before.get(id.key) });
  }

  /** Puts what was before in place of what was read. */
  restore(
    definition: StateDefinition,
    of: { readonly projection: string; readonly role: Role },
    read: Map<string, object>,
    ids: readonly InstanceId[],
  ): Map<string, object> {
    const images = this.images.get(nameOf(of));
    if (images === undefined) return read;
    for (const { key } of ids) {
      const image = images.get(key);
      if (image === undefined) continue;
      if (image.state === undefined) read.delete(key);
      else read.set(key, copied(definition, image.id, image.state));
    }
    return read;
  }

  private imagesOf(generation: GenerationRecord): Map<string, Image> {
    const name = nameOf(generation);
    const images = this.images.get(name) ?? new Map<string, Image>();
    this.images.set(name, images);
    return images;
  }
}

function nameOf({ projection, role }: { readonly projection: string; readonly role: Role }): string {
  return `${role} ${projection}`;
}

/** Each reader gets its own. */
function copied(definition: StateDefinition, id: InstanceId, state: object): object {
  try {
    return definition.decode(id, definition.encode(state));
  } catch {
    // A row may hold what no document can.
    return Object.assign(Object.create(Object.getPrototypeOf(state) as object) as object, structuredClone({ ...state }));
  }
}
