import type { QueryRunner } from 'typeorm';
import type { Position, RecordedEvent } from '../../../events/recorded-event';
import type {
  Changes,
  GenerationRecord,
  InstanceId,
  PromotionTransaction,
  StateDefinition,
} from '../../../store/projection-store';
import { markOpen } from '../marked-transaction';
import { eventsUpTo } from './events-up-to';
import type { ProjectionAccess } from './projection-access';
import { queuedEventOf } from './queue-statements';
import { placeOf, type States } from './states';

/** Where the statements of a transaction run. */
export interface OpenTransaction {
  readonly runner: QueryRunner;
  /** Runs `work`, which uses the connection, when it is its turn. */
  statement<T>(work: () => Promise<T>): Promise<T>;
}

/** What is the same in every transaction in which handlers run. */
export class HandlerTransaction {
  constructor(
    protected readonly open: OpenTransaction,
    protected readonly states: States,
  ) {}

  /** An `EntityManager`. Transactions that are begun on it are savepoints. */
  get manager(): unknown {
    markOpen(this.open.runner);
    return this.open.runner.manager;
  }

  load(definition: StateDefinition, generation: GenerationRecord, ids: readonly InstanceId[]): Promise<Map<string, object>> {
    const { runner } = this.open;
    return this.open.statement(() => this.states.load(runner, definition, placeOf(generation), ids));
  }

  write(definition: StateDefinition, generation: GenerationRecord, changes: Pick<Changes, 'saved' | 'removed'>): Promise<void> {
    const { runner } = this.open;
    return this.open.statement(() => this.states.write(runner, definition, placeOf(generation), changes));
  }

  async attempt<T>(work: () => Promise<T>): Promise<T> {
    const { runner } = this.open;
    markOpen(runner);
    await this.open.statement(() => runner.startTransaction());
    try {
      const result = await work();
      await this.open.statement(() => runner.commitTransaction());
      return result;
    } catch (error) {
      await this.open.statement(() => runner.rollbackTransaction()).catch(() => undefined);
      throw error;
    }
  }
}

/** The transaction of a generation whose record is locked. */
export class LockedTransaction extends HandlerTransaction implements PromotionTransaction {
  constructor(
    runner: QueryRunner,
    states: States,
    private readonly access: ProjectionAccess,
    private readonly record: GenerationRecord,
  ) {
    super({ runner, statement: (work) => work() }, states);
  }

  get checkpoint(): Position | undefined {
    return this.record.checkpoint;
  }

  async queue(key: string, limit: number): Promise<RecordedEvent[]> {
    const { rows } = await this.access.dialect.run(this.open.runner, this.states.queues.queue(this.record, key, limit));
    return rows.map(queuedEventOf);
  }

  read(after: Position | undefined, upTo: Position): AsyncIterable<readonly RecordedEvent[]> {
    return eventsUpTo(this.open, this.access.dialect, after, upTo);
  }
}
