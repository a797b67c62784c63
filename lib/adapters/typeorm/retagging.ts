import type { RecordedEvent } from '../../events/recorded-event';
import type { Connections } from './connections';
import { retried } from './deadlocks';
import type { Dialect, TagAddition } from './dialect';
import { eventOf } from './recorded-row';
import type { EventRow } from './tables';

const pageSize = 500;

/** Adds tags to stored events, a page at a time, while appends go on. */
export class Retagging {
  constructor(
    private readonly connections: Connections,
    private readonly dialect: Dialect,
  ) {}

  async retag(types: readonly string[], tagsOf: (event: RecordedEvent) => readonly string[]): Promise<number> {
    // Asked once before anything is written: an error of `tagsOf` leaves everything as it was.
    for await (const page of this.pages(types)) for (const row of page) tagsOf(eventOf(row));
    let retagged = 0;
    for await (const page of this.pages(types)) {
      const additions = page.flatMap((row) => {
        const event = eventOf(row);
        const tags = tagsOf(event).filter((tag) => !event.tags.includes(tag));
        return tags.length === 0 ? [] : [{ position: row.position, type: row.type, tags }];
      });
      await addTags(this.connections, this.dialect, additions);
      retagged += additions.length;
    }
    return retagged;
  }

  private async *pages(types: readonly string[]): AsyncGenerator<readonly EventRow[]> {
    if (types.length === 0) return;
    let after: string | undefined;
    for (;;) {
      const selection = { criteria: [{ types }], after, limit: pageSize };
      const rows = await this.connections.use((runner) => this.dialect.select(runner, selection));
      if (rows.length > 0) yield rows;
      if (rows.length < pageSize) return;
      after = rows.at(-1)?.position;
    }
  }
}

/** Adds tags in one transaction. */
export async function addTags(connections: Connections, dialect: Dialect, additions: readonly TagAddition[]): Promise<void> {
  if (additions.length === 0) return;
  await retried(dialect, () => connections.useAlone((runner) => dialect.addTags(runner, additions)));
}
