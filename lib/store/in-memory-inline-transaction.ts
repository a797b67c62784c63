import type { Position, RecordedEvent } from '../events/recorded-event';
import type { AppendTransaction } from './append';
import type { EventStore } from './event-store';
import { eventsUpTo } from './events-up-to';
import type { Contents } from './in-memory-contents';
import { type FindGeneration, InMemoryDrafts } from './in-memory-drafts';
import type { InMemoryGeneration } from './in-memory-generation';
import { blockedIn, writeChanges } from './in-memory-queues';
import type { Draft } from './in-memory-turn';
import type { BlockedInstance, Changes, GenerationRecord, InlineTransaction, StateDefinition } from './projection-store';

/** What an inline transaction needs around it. */
export interface InlineEnvironment {
  readonly store: EventStore;
  readonly find: FindGeneration;
  /** @returns the generation of a projection that serves now. */
  readonly serving: (projection: string) => InMemoryGeneration | undefined;
  /** Called for each generation that was changed, once that is for good. */
  changed(generation: InMemoryGeneration): void;
}

/** Stages what an append would have generations hold until it is final whether the append is stored. */
export class InMemoryInlineTransaction extends InMemoryDrafts implements InlineTransaction {
  private readonly opening = new Map<InMemoryGeneration, Promise<Draft>>();
  private readonly drafts = new Map<InMemoryGeneration, Draft>();
  private readonly noted: [InMemoryGeneration, Changes][] = [];
  private isOver = false;

  constructor(
    private readonly transaction: AppendTransaction,
    private readonly environment: InlineEnvironment,
  ) {
    super(environment.find, (generation) => this.open(generation));
    transaction.onEnd((how) => this.end(how));
  }

  async advance(
    generations: readonly GenerationRecord[],
    previous: Position | undefined,
    to: Position,
  ): Promise<GenerationRecord[]> {
    const elsewhere: GenerationRecord[] = [];
    for (const given of generations) {
      const contents = await this.contentsOf(given);
      const generation = this.environment.find(given);
      if (contents === undefined || generation?.role !== 'serving') elsewhere.push(...(await this.servingOf(given)));
      else if (contents.checkpoint === previous && generation.token === given.token) contents.checkpoint = to;
      else elsewhere.push({ ...generation.record, checkpoint: contents.checkpoint });
    }
    return elsewhere;
  }

  async move(generations: readonly GenerationRecord[], previous: Position | undefined, to: Position): Promise<void> {
    if ((await this.advance(generations, previous, to)).length > 0)
      throw new Error('A generation is not where it was taken to be. The append has to be made again.');
  }

  async commit(_definition: StateDefinition, id: GenerationRecord, changes: Changes): Promise<void> {
    const generation = this.environment.find(id);
    const contents = await this.contentsOf(id);
    if (generation === undefined || contents === undefined) return;
    writeChanges(contents, changes, this.compare);
    this.noted.push([generation, changes]);
  }

  async blocked(id: GenerationRecord): Promise<BlockedInstance[]> {
    const contents = await this.contentsOf(id);
    return contents === undefined ? [] : blockedIn(contents, this.compare);
  }

  read(after: Position | undefined, upTo: Position): AsyncIterable<readonly RecordedEvent[]> {
    return eventsUpTo(this.environment.store, after, upTo);
  }

  private readonly compare = (a: Position, b: Position): number => this.environment.store.compare(a, b);

  /** @returns the record of the generation that serves once nobody else changes it. */
  private async servingOf({ projection }: GenerationRecord): Promise<GenerationRecord[]> {
    for (;;) {
      const generation = this.environment.serving(projection);
      const contents = generation && (await this.contentsOf(generation.record));
      if (generation === undefined || contents === undefined) return [];
      if (generation.role === 'serving') return [{ ...generation.record, checkpoint: contents.checkpoint }];
    }
  }

  private async open(generation: InMemoryGeneration): Promise<Contents> {
    let opening = this.opening.get(generation);
    if (opening === undefined) {
      opening = this.begin(generation);
      this.opening.set(generation, opening);
    }
    return (await opening).contents;
  }

  private async begin(generation: InMemoryGeneration): Promise<Draft> {
    const draft = await generation.turn.draft(generation.contents, this.transaction.previous);
    if (this.isOver) draft.end('rolledBack');
    else this.drafts.set(generation, draft);
    return draft;
  }

  private end(how: 'committed' | 'rolledBack'): void {
    this.isOver = true;
    if (how === 'committed') for (const [generation, changes] of this.noted) generation.note(changes);
    for (const draft of this.drafts.values()) draft.end(how);
    if (how === 'committed') for (const generation of this.drafts.keys()) this.environment.changed(generation);
  }
}
