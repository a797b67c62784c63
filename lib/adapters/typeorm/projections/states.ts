import type { DataSource, QueryRunner } from 'typeorm';
import type {
  Changes,
  GenerationId,
  GenerationRecord,
  InstanceId,
  ProjectionStore,
  Role,
  StateDefinition,
} from '../../../store/projection-store';
import type { Statement } from '../select-events';
import type { DialectName } from '../tables';
import { DocumentsTable } from './documents-table';
import { entityMistakes } from './entity-mistakes';
import { EntityTable } from './entity-table';
import { sharedTableMistakes, unlistedMistakes } from './entity-table-mistakes';
import type { InstanceTable, Place } from './instance-table';
import type { ProjectionAccess } from './projection-access';
import { QueueStatements } from './queue-statements';

/** What projections keep: their instances, each kind in its way, and the queues of those that stand still. */
export class States {
  readonly queues: QueueStatements;
  private readonly tables = new WeakMap<StateDefinition, InstanceTable>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialectName: DialectName,
    private readonly access: ProjectionAccess,
  ) {
    this.queues = new QueueStatements(access.words, access.names, access.dialect.longestKey);
  }

  /** @returns undefined where the handlers keep their state by themselves, or none is kept. */
  tableOf(definition: StateDefinition): InstanceTable | undefined {
    if (!isKept(definition)) return undefined;
    let table = this.tables.get(definition);
    if (table === undefined) {
      table = this.made(definition);
      this.tables.set(definition, table);
    }
    return table;
  }

  /** @returns what is wrong with a class as the state of a projection. */
  mistakes(definition: StateDefinition, others: readonly StateDefinition[]): ReturnType<ProjectionStore['mistakes']> {
    if (definition.kind === 'document') return unlistedMistakes(this.dataSource, definition);
    if (!isKept(definition)) return [];
    return [...entityMistakes(this.dataSource, definition), ...sharedTableMistakes(this.dataSource, definition, others)];
  }

  /** Makes room for a generation, beside those that there are. */
  async create(
    runner: QueryRunner,
    definition: StateDefinition,
    place: Place,
    beside: readonly GenerationRecord[],
  ): Promise<void> {
    const table = this.tableOf(definition);
    const serving = beside.find(({ role }) => role === 'serving');
    // What has no table of its own so far is to have one that is nobody else's.
    if (serving !== undefined && serving.kind !== definition.kind && definition.kind === 'entity')
      await table?.create(runner, { ...place, role: 'serving' });
    await table?.create(runner, place);
  }

  /** Removes what is kept of a generation, also where it was kept as documents. The rows of a class that is no entity any more stay. */
  async drop(runner: QueryRunner, definition: StateDefinition, record: GenerationRecord): Promise<void> {
    await this.tableOf(definition)?.drop(runner, placeOf(record));
    if (record.kind === 'document' && definition.kind !== 'document')
      await this.documentsOf(definition).drop(runner, placeOf(record));
  }

  async load(
    runner: QueryRunner,
    definition: StateDefinition,
    place: Place,
    ids: readonly InstanceId[],
  ): Promise<Map<string, object>> {
    if (ids.length === 0) return new Map();
    return (await this.tableOf(definition)?.load(runner, place, ids)) ?? new Map();
  }

  async write(
    runner: QueryRunner,
    definition: StateDefinition,
    place: Place,
    { saved, removed }: Pick<Changes, 'saved' | 'removed'>,
  ): Promise<void> {
    const table = this.tableOf(definition);
    // Before the others: who takes a value that has to be unique may have it from one that goes.
    if (removed.length > 0) await table?.remove(runner, place, removed);
    if (saved.length > 0) await table?.save(runner, place, saved);
  }

  /** @returns statements that write all of it, or fail: undefined where that takes answers. */
  writes(definition: StateDefinition, place: Place, changes: Changes): readonly Statement[] | undefined {
    if (changes.queued.length > 0 || changes.released.length > 0) return undefined;
    const table = this.tableOf(definition);
    return table === undefined ? [] : table.writes(place, changes);
  }

  async writeQueues(runner: QueryRunner, id: GenerationId, { released, queued }: Changes): Promise<void> {
    const { dialect } = this.access;
    for (const statement of this.queues.release(id, released)) await dialect.run(runner, statement);
    for (const statement of this.queues.add(id, queued)) await dialect.run(runner, statement);
  }

  private made(definition: StateDefinition): InstanceTable {
    return definition.kind === 'entity'
      ? new EntityTable(this.dataSource, this.dialectName, definition, this.access.dialect)
      : this.documentsOf(definition);
  }

  private documentsOf(definition: StateDefinition): DocumentsTable {
    const { dialect, words, names } = this.access;
    return new DocumentsTable(dialect, words, names, definition);
  }
}

function isKept({ kind }: StateDefinition): boolean {
  return kind === 'entity' || kind === 'document';
}

export function placeOf({ projection, role, generation }: GenerationRecord): Place {
  return { projection, role, generation };
}

/** The place of whatever generation has a role. */
export function placeByRole({ projection, role }: { readonly projection: string; readonly role: Role }): Place {
  return { projection, role, generation: undefined };
}
