import type { Position, RecordedEvent } from '../events/recorded-event';
import type { EventStore } from './event-store';
import { eventsUpTo } from './events-up-to';
import type { DraftContents } from './in-memory-contents';
import { InMemoryDrafts } from './in-memory-drafts';
import type { InMemoryGeneration } from './in-memory-generation';
import { queueOf } from './in-memory-queues';
import type { PromotionTransaction } from './projection-store';

/** A transaction on one generation, whose turn it has. */
export class InMemoryProjectionTransaction extends InMemoryDrafts implements PromotionTransaction {
  readonly checkpoint: Position | undefined;

  constructor(
    generation: InMemoryGeneration,
    private readonly draft: DraftContents,
    private readonly store: EventStore,
  ) {
    super(
      (id) => (id.generation === generation.generation ? generation : undefined),
      () => draft,
    );
    this.checkpoint = generation.contents.checkpoint;
  }

  async queue(key: string, limit: number): Promise<RecordedEvent[]> {
    return queueOf(this.draft, key, limit);
  }

  read(after: Position | undefined, upTo: Position): AsyncIterable<readonly RecordedEvent[]> {
    return eventsUpTo(this.store, after, upTo);
  }
}
