import { createHash } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import type { Changes, GenerationId, GenerationRecord, ProjectionStore, StateDefinition } from '../../../store/projection-store';
import { retried } from '../deadlocks';
import { markOpen } from '../marked-transaction';
import type { Statement } from '../select-events';
import type { ProjectionAccess } from './projection-access';
import { LockedTransaction } from './projection-transaction';
import { goesOn, isSwapping, recordOf } from './record-of';
import type { RecordChange, RecordStatements } from './record-statements';
import { placeOf, type States } from './states';

/** How long a change of tables waits at most for those who read them, who wait behind it meanwhile. */
const longestLockMs = 2_000;

/** So long one waits for the lock of a projection before it is asked for again, in seconds. */
const lockSeconds = 5;

type Swap = Parameters<ProjectionStore['promote']>;

type Lock = (runner: QueryRunner) => Promise<void>;

/** Begins, swaps and removes the generations of projections: one process at a time for each projection. */
export class LifeCycle {
  /** The projections whose tables are locked before their records when they are swapped. */
  private readonly tablesFirst = new Set<string>();

  constructor(
    private readonly access: ProjectionAccess,
    private readonly records: RecordStatements,
    private readonly states: States,
  ) {}

  create(definition: StateDefinition, version: number, role: 'serving' | 'building'): Promise<GenerationRecord> {
    const { projection } = definition;
    return this.changing(definition, undefined, async (runner, all) => {
      const there = all.find((record) => record.role === role);
      if (there !== undefined && goesOn(there, definition, version)) return there;
      if (there !== undefined) {
        await this.forget(runner, there);
        await this.states.drop(runner, definition, there);
      }
      const generation = Math.max(0, ...all.map((record) => record.generation)) + 1;
      const place = { projection, role, generation };
      await this.states.create(runner, definition, place, all);
      await this.run(runner, this.records.insert(place, version, definition.kind));
      const created = (await this.read(runner, projection)).find((record) => record.generation === generation);
      return created as GenerationRecord;
    });
  }

  /**
   * A swap takes the records and the tables from others, some of whom hold the one and want the other: an inline append has the
   * record first, a transaction that has read the table, and then appends, the table. It gives way to both, and takes the other
   * first when it is tried again.
   */
  async promote(...swap: Swap): Promise<boolean> {
    const [definition] = swap;
    const { projection } = definition;
    const { tablesFirst } = this;
    const isTableFirst = tablesFirst.has(projection);
    try {
      return await this.promoteAfter(
        async (runner) => (isTableFirst ? this.states.tableOf(definition)?.lock?.(runner) : undefined),
        swap,
      );
    } catch (error) {
      if (isTableFirst) tablesFirst.delete(projection);
      else tablesFirst.add(projection);
      throw error;
    }
  }

  private promoteAfter(lock: Lock, [definition, building, serving, catchUp]: Swap): Promise<boolean> {
    return this.changing(definition, lock, async (runner, all) => {
      const served = all.find(({ role }) => role === 'serving');
      const known = serving && (catchUp === undefined ? serving : { ...serving, checkpoint: served?.checkpoint });
      const isAsGiven = isSame(all, building) && served?.generation === serving?.generation;
      if (!isAsGiven || (known !== undefined && !isSame(all, known))) return false;
      const upTo = served?.checkpoint;
      if (catchUp !== undefined && upTo !== undefined && Number(building.checkpoint ?? 0) < Number(upTo))
        await this.complete(runner, definition, building, (transaction) => catchUp(transaction, upTo));
      const kept = all.find(({ role }) => role === 'kept');
      if (kept !== undefined) await this.forget(runner, kept);
      if (this.isInSteps(definition)) {
        await this.mark(runner, building, 'rising');
        if (serving !== undefined) await this.mark(runner, serving, 'falling');
        await this.run(runner, commit);
        if (kept !== undefined) await this.states.drop(runner, definition, kept);
        await this.finish(runner, definition);
        return true;
      }
      if (kept !== undefined) await this.states.drop(runner, definition, kept);
      if (serving !== undefined) await this.mark(runner, serving, 'kept');
      await this.mark(runner, building, 'serving');
      await this.states.tableOf(definition)?.promote(runner);
      return true;
    });
  }

  reopen(definition: StateDefinition): Promise<boolean> {
    return this.changing(definition, undefined, async (runner, all) => {
      const kept = all.find(({ role }) => role === 'kept');
      if (kept === undefined || all.some(({ role }) => role === 'building')) return false;
      if (this.isInSteps(definition)) {
        await this.mark(runner, kept, 'reopening');
        await this.run(runner, commit);
        await this.finish(runner, definition);
        return true;
      }
      await this.mark(runner, kept, 'building');
      await this.states.tableOf(definition)?.reopen(runner);
      return true;
    });
  }

  drop(definition: StateDefinition, id: GenerationId): Promise<void> {
    return this.changing(definition, undefined, async (runner, all) => {
      const record = all.find(({ generation }) => generation === id.generation);
      if (record === undefined || record.role === 'serving') return;
      await this.forget(runner, record);
      if (this.isInSteps(definition)) await this.run(runner, commit);
      await this.states.drop(runner, definition, record);
    });
  }

  /** Ends what a process has begun that died. */
  recover(definition: StateDefinition): Promise<void> {
    return this.changing(definition, undefined, async () => undefined);
  }

  /** Has what is being built take what it lacks, in the transaction that is open. */
  private async complete(
    runner: QueryRunner,
    definition: StateDefinition,
    building: GenerationRecord,
    work: (transaction: LockedTransaction) => Promise<Changes>,
  ): Promise<void> {
    markOpen(runner);
    const changes = await work(new LockedTransaction(runner, this.states, this.access, building));
    const { projection, generation } = building;
    await this.run(runner, this.records.update({ projection, generation }, { checkpoint: changes.to }));
    await this.states.write(runner, definition, placeOf(building), changes);
    await this.states.writeQueues(runner, building, changes);
  }

  /** Runs `work` in a transaction, while nobody else changes generations of the projection. */
  private async changing<T>(
    definition: StateDefinition,
    /** What a swap takes before its records; undefined for what is no swap. */
    lock: Lock | undefined,
    work: (runner: QueryRunner, records: readonly GenerationRecord[]) => Promise<T>,
  ): Promise<T> {
    const { access } = this;
    const change = (runner: QueryRunner) =>
      access.transaction(runner, async () => {
        await this.begun(runner, definition.projection, lock === undefined ? 'waits' : 'gives way');
        await lock?.(runner);
        if (this.isInSteps(definition)) await this.finish(runner, definition);
        return work(runner, await this.read(runner, definition.projection));
      });
    return access.alone((runner) => this.locked(runner, definition.projection, () => change(runner)), 'hook');
  }

  /** What takes part of a transaction that changes tables where the database can. */
  private async begun(runner: QueryRunner, projection: string, how: 'waits' | 'gives way'): Promise<void> {
    if (this.access.words.dialect !== 'postgres') return;
    // A transaction that has read the table, and then appends, waits for this one, as this one does for it. This one gives way.
    const halfOfDeadlock = `extract(epoch FROM current_setting('deadlock_timeout')::interval) * 500`;
    const timeout = how === 'waits' ? '$2::int::text' : `least($2::int, greatest(1, ${halfOfDeadlock}))::int::text`;
    const sql = `SELECT pg_advisory_xact_lock(hashtextextended($1, 0)), set_config('lock_timeout', ${timeout}, true)`;
    await this.run(runner, { sql, parameters: [this.lockName(projection), longestLockMs], isFrequent: false });
  }

  private async locked<T>(runner: QueryRunner, projection: string, work: () => Promise<T>): Promise<T> {
    if (this.access.words.dialect !== 'mysql') return work();
    const name = this.lockName(projection);
    const lock: Statement = { sql: `SELECT GET_LOCK(?, ${lockSeconds}) AS held`, parameters: [name], isFrequent: false };
    // The swap of large tables takes its time; nobody else may lay hands on them meanwhile.
    while (Number((await this.run(runner, lock)).rows[0]?.['held']) !== 1);
    try {
      // Appends with inline projections lock the records as well, in their own order.
      return await retried(this.access.dialect, work);
    } finally {
      await this.run(runner, { sql: 'SELECT RELEASE_LOCK(?)', parameters: [name], isFrequent: false }).catch(() => undefined);
    }
  }

  private lockName(projection: string): string {
    const { table } = this.access.names.projections;
    return `eventfold ${createHash('sha256').update(`${table} ${projection}`).digest('hex').slice(0, 40)}`;
  }

  /** Whether a change of its tables ends the transaction that it is made in. */
  private isInSteps({ kind }: StateDefinition): boolean {
    return this.access.words.dialect === 'mysql' && kind === 'entity';
  }

  /** Brings a change of tables to its end, as far as it has got. The tables themselves tell whether they were swapped. */
  private async finish(runner: QueryRunner, definition: StateDefinition): Promise<void> {
    const rows = await this.rows(runner, definition.projection);
    const swapped = rows.filter(isSwapping);
    if (swapped.length === 0) return;
    const table = this.states.tableOf(definition);
    if (swapped.some(({ role }) => String(role) === 'reopening')) await table?.reopen(runner);
    else await table?.promote(runner);
    await this.access.dialect.begin(runner);
    for (const row of swapped) await this.mark(runner, recordOf(row), ended[String(row['role'])] as string);
    await this.run(runner, commit);
    await this.access.dialect.begin(runner);
  }

  private async read(runner: QueryRunner, projection: string): Promise<GenerationRecord[]> {
    return (await this.rows(runner, projection)).map(recordOf);
  }

  /** Locked: who keeps changes has done so before, or finds another token. */
  private async rows(runner: QueryRunner, projection: string): Promise<readonly Record<string, unknown>[]> {
    const { rows } = await this.run(runner, this.records.select({ projection }, this.access.words.forUpdate));
    return rows;
  }

  private async mark(runner: QueryRunner, { projection, generation }: GenerationId, role: string): Promise<void> {
    const change: RecordChange = { role, hasNewToken: true };
    await this.run(runner, this.records.update({ projection, generation }, change));
  }

  private async forget(runner: QueryRunner, record: GenerationRecord): Promise<void> {
    await this.run(runner, this.records.delete(record));
    await this.run(runner, this.states.queues.drop(record));
  }

  private run(runner: QueryRunner, statement: Statement) {
    return this.access.dialect.run(runner, statement);
  }
}

const commit: Statement = { sql: 'COMMIT', parameters: [], isFrequent: false };

/** What the roles of a swap become. */
const ended: Readonly<Record<string, string>> = { rising: 'serving', falling: 'kept', reopening: 'building' };

function isSame(all: readonly GenerationRecord[], given: GenerationRecord): boolean {
  const now = all.find(({ generation }) => generation === given.generation);
  return now?.token === given.token && now.checkpoint === given.checkpoint && now.role === given.role;
}
