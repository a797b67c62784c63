import type { RecordedEvent } from '../../events/recorded-event';
import type { Connections } from './connections';
import type { Dialect } from './dialect';
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
      const lacking = page.flatMap((row) => {
        const { tags } = eventOf(row);
        const added = [...new Set(tagsOf(eventOf(row)))].filter((tag) => !tags.includes(tag));
        return added.length === 0 ? [] : [{ row, added, tags: [...tags, ...added] }];
      });
      if (lacking.length > 0) await this.connections.useAlone((runner) => this.dialect.addTags(runner, lacking));
      retagged += lacking.length;
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
