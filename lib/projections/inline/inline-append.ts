import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { AppendTransaction } from '../../store/append';
import type { Changes, GenerationRecord, InlineTransaction, ProjectionStore } from '../../store/projection-store';
import { Fold, type Load } from '../folding/fold';
import { FailedHandler } from '../parking/failed-handler';
import type { InlineProjection } from './inline-projection';

/** Events of one append, and how handlers are run on its account. */
export interface InlinePart {
  readonly events: readonly RecordedEvent[];
  run<T>(work: () => T): T;
}

/** Between the newest position before an append and its last one. */
interface Way {
  readonly previous: Position | undefined;
  readonly to: Position;
}

/**
 * The inline projections at work in one append: their instances are kept in its transaction. Events that a handler
 * appends are folded after those that led to them.
 */
export class InlineAppend {
  private readonly queue: RecordedEvent[] = [];
  private readonly folds: Fold[] = [];
  /** What is at hand once the append is committed. */
  private readonly handed: (() => void)[] = [];
  private readonly transaction: InlineTransaction;
  private last: Position | undefined;
  private isWorking = false;

  constructor(
    private readonly projections: readonly InlineProjection[],
    place: ProjectionStore,
    transaction: AppendTransaction,
  ) {
    this.transaction = place.inline(transaction);
    this.last = transaction.previous;
    transaction.onEnd((how) => {
      if (how === 'committed') for (const hand of this.handed) hand();
      for (const projection of projections) projection.ended(how, this.last);
    });
  }

  /**
   * Folds events of the append.
   *
   * @throws {@link ProjectionError} when a handler throws; the append fails with it.
   */
  async fold(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) this.queue.push(event);
    if (this.isWorking) return;
    this.isWorking = true;
    try {
      while (this.queue.length > 0) await this.foldNext([{ events: this.queue.splice(0), run: (work) => work() }], 'loaded');
    } catch (error) {
      throw error instanceof FailedHandler ? error.failure : error;
    } finally {
      this.isWorking = false;
    }
  }

  /**
   * Folds events of appends that are committed together, each within what its caller's code runs in. What was kept last is taken
   * to be so still, where that will turn out.
   *
   * @throws {@link ProjectionError} or another error; then each of the appends is to be made by itself.
   */
  async foldTogether(parts: readonly InlinePart[]): Promise<void> {
    const previous = this.last;
    const to = lastOf(parts);
    const records = this.projections.map(({ record }) => record);
    if (this.projections.every((projection) => projection.isAt(previous))) {
      this.last = to;
      await this.transaction.move(records, previous, to);
      for (const projection of this.projections) await this.foldAtHand(projection, parts, { previous, to });
    } else await this.foldNext(parts, 'at hand');
  }

  /** Whether a handler has answered with a promise. */
  get hasWaited(): boolean {
    return this.folds.some((fold) => fold.hasWaited);
  }

  private async foldNext(parts: readonly InlinePart[], instances: 'loaded' | 'at hand'): Promise<void> {
    const to = lastOf(parts);
    const previous = this.last;
    this.last = to;
    const records = this.projections.map(({ record }) => record);
    const elsewhere = await this.transaction.advance(records, previous, to);
    for (const projection of this.projections) {
      const other = elsewhere.find(({ projection: name }) => name === projection.definition.projection);
      if (other === undefined && instances === 'at hand') await this.foldAtHand(projection, parts, { previous, to });
      else if (other === undefined) await this.foldInto(projection, parts, { from: to, to });
      else if (other.version !== projection.record.version) projection.leave();
      else await this.foldBehind(projection, other, parts, { previous, to });
    }
  }

  private async foldAtHand(projection: InlineProjection, parts: readonly InlinePart[], { previous, to }: Way): Promise<void> {
    const saved = await this.foldInto(projection, parts, { from: to, to }, previous);
    this.handed.push(() => projection.hand(to, saved));
  }

  /** @param atHand The position as of which instances may be at hand. */
  private async foldInto(
    projection: InlineProjection,
    parts: readonly InlinePart[],
    { from, to }: { readonly from: Position | undefined; readonly to: Position },
    atHand?: Position,
  ): Promise<Changes['saved']> {
    const { definition, record } = projection;
    const fold = this.foldOf(projection, 'throw', atHand);
    if (parts.length > 1) await fold.prepare(parts.flatMap(({ events }) => events));
    for (const { events, run } of parts) await run(() => fold.add(events));
    const changes = fold.changes(from, to);
    const { saved, removed, queued } = changes;
    if (from !== to || saved.length > 0 || removed.length > 0 || queued.length > 0)
      await this.transaction.commit(definition, record, changes);
    return saved;
  }

  /** Somebody else has appended without the projection, or has changed what it stands still at. */
  private async foldBehind(
    projection: InlineProjection,
    record: GenerationRecord,
    parts: readonly InlinePart[],
    { previous, to }: Way,
  ): Promise<void> {
    projection.take(record, await this.transaction.blocked(record));
    if (record.isPaused || record.failure !== undefined) return;
    let from = record.checkpoint;
    if (previous !== undefined && from !== previous) {
      for await (const chunk of this.transaction.read(from, previous)) {
        const fold = this.foldOf(projection, 'park');
        await fold.add(chunk);
        const changes = fold.changes(from, (chunk.at(-1) as RecordedEvent).position);
        await this.transaction.commit(projection.definition, record, changes);
        projection.parked(changes, fold.failures);
        from = changes.to;
      }
    }
    await this.foldInto(projection, parts, { from, to });
  }

  private foldOf(projection: InlineProjection, onFailure: 'park' | 'throw', atHand?: Position): Fold {
    const { transaction } = this;
    const { definition, record, blocked, now } = projection;
    const load: Load = (ids) => transaction.load(definition, record, ids);
    const fold = new Fold({
      projection: definition.folding,
      load: atHand === undefined ? load : projection.loadAsOf(atHand, load),
      blocked,
      managers: transaction,
      now,
      onFailure,
    });
    this.folds.push(fold);
    return fold;
  }
}

function lastOf(parts: readonly InlinePart[]): Position {
  const { events } = parts.at(-1) as InlinePart;
  return (events.at(-1) as RecordedEvent).position;
}
