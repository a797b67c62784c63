import type { Position } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import type { ProjectionDefinition } from '../folding/projection-definition';

const later = setTimeout;

/** What is stored and cannot be read yet is looked for again, in milliseconds. */
const lookAgainMs = 20;

/** Which instances events have touched after a position. */
export class TouchedInstances {
  private readonly keys = new Set<string>();

  constructor(
    private readonly store: EventStore,
    private readonly definition: ProjectionDefinition,
    private after: Position | undefined,
  ) {}

  has(key: string): boolean {
    return this.keys.has(key);
  }

  /** Takes note of the events up to a position. */
  async readTo(upTo: Position | undefined): Promise<void> {
    if (upTo === undefined || !this.isBefore(upTo)) return;
    const { store } = this;
    const { folding } = this.definition;
    for (;;) {
      const head = await store.head();
      if (head !== undefined && store.compare(head, upTo) >= 0) break;
      await new Promise<void>((resolve) => later(resolve, lookAgainMs));
    }
    const query = { criteria: [{ types: folding.types }], ...(this.after !== undefined && { after: this.after }) };
    for await (const chunk of store.read(query).chunks()) {
      for (const event of chunk) for (const { key } of folding.identitiesOf(event)) this.keys.add(key);
      // What is beyond it may as well be known.
      const last = chunk.at(-1)?.position;
      if (last !== undefined && store.compare(last, upTo) >= 0) break;
    }
    this.after = upTo;
  }

  private isBefore(position: Position): boolean {
    return this.after === undefined || this.store.compare(this.after, position) < 0;
  }
}
