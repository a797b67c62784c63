import type { Position, RecordedEvent } from '../../../events/recorded-event';
import type {
  BlockedInstance,
  Changes,
  GenerationId,
  GenerationRecord,
  InlineTransaction,
  StateDefinition,
} from '../../../store/projection-store';
import type { OpenAppend } from '../open-append';
import type { Statement } from '../select-events';
import type { BeforeImages } from './before-images';
import { eventsUpTo } from './events-up-to';
import { mustChange } from './must-change';
import type { ProjectionAccess } from './projection-access';
import { HandlerTransaction } from './projection-transaction';
import { blockedOf } from './queue-statements';
import { isSwapping, recordOf } from './record-of';
import type { RecordStatements } from './record-statements';
import { placeOf, type States } from './states';

/** What an inline transaction needs of its store. */
export interface InlineOptions {
  readonly access: ProjectionAccess;
  readonly states: States;
  readonly records: RecordStatements;
  /** Where all share one connection. */
  readonly beforeImages: BeforeImages | undefined;
  readonly progressed: (projection: string) => void;
}

/** The transaction of an append, as inline projections use it: on its connection, and told of when it is committed. */
export class TypeOrmInlineTransaction extends HandlerTransaction implements InlineTransaction {
  private readonly touched = new Set<string>();
  /** Where generations are that this transaction has moved. */
  private readonly checkpoints = new Map<string, Position | undefined>();

  constructor(
    private readonly append: OpenAppend,
    private readonly options: InlineOptions,
  ) {
    super(append, options.states);
  }

  async advance(
    generations: readonly GenerationRecord[],
    previous: Position | undefined,
    to: Position,
  ): Promise<GenerationRecord[]> {
    if (generations.length === 0) return [];
    const { records } = this.options;
    for (const { projection } of generations) this.touch(projection);
    const { changed } = await this.run(records.advance(generations, previous, to));
    if (changed === generations.length) {
      for (const generation of generations) this.checkpoints.set(nameOf(generation), to);
      return [];
    }
    let { rows } = await this.run(records.elsewhere(generations, to));
    // Who waits for a swap finds what served before it, and so nothing; another look finds what serves now.
    if (rows.length < generations.length - changed) rows = (await this.run(records.elsewhere(generations, to))).rows;
    return rows.map((row) => ({ ...recordOf(row), ...(isSwapping(row) && { isPaused: true }) }));
  }

  async move(generations: readonly GenerationRecord[], previous: Position | undefined, to: Position): Promise<void> {
    if (generations.length === 0) return;
    const statement = this.options.records.advance(generations, previous, to);
    for (const { projection } of generations) this.touch(projection);
    if (this.append.hold !== undefined) this.append.hold([mustChange(statement, generations.length)]);
    else if ((await this.run(statement)).changed !== generations.length)
      throw new Error('A generation is not where it was taken to be. The append has to be made again.');
    for (const generation of generations) this.checkpoints.set(nameOf(generation), to);
  }

  async commit(definition: StateDefinition, generation: GenerationRecord, changes: Changes): Promise<void> {
    const { hold } = this.append;
    const isMoved = this.checkpoints.get(nameOf(generation)) === changes.to && changes.isForeign !== true;
    const writes = hold && isMoved ? this.options.states.writes(definition, placeOf(generation), changes) : undefined;
    if (hold === undefined || writes === undefined) await this.writeNow(definition, generation, changes);
    else hold(writes);
  }

  private writeNow(definition: StateDefinition, generation: GenerationRecord, changes: Changes): Promise<void> {
    const { records, states, access, beforeImages } = this.options;
    const { projection, generation: number } = generation;
    const { runner } = this.append;
    this.touch(projection);
    return this.append.statement(async () => {
      const name = nameOf(generation);
      const isThere = this.checkpoints.has(name) && this.checkpoints.get(name) === changes.to;
      if (!isThere || changes.isForeign === true) {
        const change = { checkpoint: changes.to, hasNewToken: changes.isForeign === true };
        await access.dialect.run(runner, records.update({ projection, generation: number }, change));
        this.checkpoints.set(name, changes.to);
      }
      await beforeImages?.keep(runner, access.connections.transactions, { definition, generation, changes, states });
      await states.write(runner, definition, placeOf(generation), changes);
      await states.writeQueues(runner, generation, changes);
    });
  }

  async blocked(generation: GenerationRecord): Promise<BlockedInstance[]> {
    const { rows } = await this.run(this.options.states.queues.blocked(generation));
    return rows.map(blockedOf);
  }

  read(after: Position | undefined, upTo: Position): AsyncIterable<readonly RecordedEvent[]> {
    return eventsUpTo(this.append, this.options.access.dialect, after, upTo);
  }

  private run(statement: Statement) {
    return this.append.statement(() => this.options.access.dialect.run(this.append.runner, statement));
  }

  /** Tells of a projection when the append is committed. */
  private touch(projection: string): void {
    if (this.touched.size === 0)
      this.append.onEnd((how) => {
        if (how === 'committed') for (const each of this.touched) this.options.progressed(each);
      });
    this.touched.add(projection);
  }
}

function nameOf({ projection, generation }: GenerationId): string {
  return `${generation} ${projection}`;
}
