import type { Position, RecordedEvent } from '../../../events/recorded-event';
import type { Dialect } from '../dialect';
import { eventOf } from '../recorded-row';
import type { OpenTransaction } from './projection-transaction';

/** So many events are read at once. */
const chunkSize = 1_000;

/** Reads the events after a position up to another one (inclusive), as an open transaction sees them. */
export async function* eventsUpTo(
  open: OpenTransaction,
  dialect: Dialect,
  after: Position | undefined,
  upTo: Position,
): AsyncGenerator<readonly RecordedEvent[], void> {
  for (let last: string | undefined = after; ; ) {
    const selection = { after: last, upTo, limit: chunkSize };
    const rows = await open.statement(() => dialect.select(open.runner, selection));
    if (rows.length > 0) yield rows.map(eventOf);
    if (rows.length < chunkSize) return;
    last = rows.at(-1)?.position;
  }
}
