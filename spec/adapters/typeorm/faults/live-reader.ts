import type { EventStore, RecordedEvent } from 'eventfold';
import { follow } from '../../../../lib/store/follow';

/** Follows a store, and remembers which events came. */
export class LiveReader {
  private readonly ids: string[] = [];
  private readonly abort = new AbortController();
  private readonly reading: Promise<void>;
  private awaited: { readonly count: number; readonly resolve: () => void } | undefined;

  constructor(
    store: EventStore,
    private readonly seen: (event: RecordedEvent) => void = () => undefined,
  ) {
    this.reading = this.read(store);
  }

  /** Waits until `count` events have come. @returns the ids of all that have. */
  async idsOf(count: number): Promise<string[]> {
    if (this.ids.length < count) {
      const enough = new Promise<void>((resolve) => {
        this.awaited = { count, resolve };
      });
      await Promise.race([enough, this.reading]);
    }
    return [...this.ids];
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.reading;
  }

  private async read(store: EventStore): Promise<void> {
    for await (const chunk of follow(store, {}, this.abort.signal)) {
      for (const event of chunk) {
        this.ids.push(event.id);
        this.seen(event);
      }
      if (this.awaited !== undefined && this.ids.length >= this.awaited.count) this.awaited.resolve();
    }
  }
}
