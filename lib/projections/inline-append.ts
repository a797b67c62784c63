import type { RecordedEvent } from '../events/recorded-event';
import type { AppendTransaction } from '../store/append';
import type { InlineProjection, Staged } from './inline-projection';

/** The inline projections at work in one append. Events that a handler appends are folded after those that led to them. */
export class InlineAppend {
  private readonly queue: RecordedEvent[] = [];
  private staged: readonly Staged[] | undefined;
  private isWorking = false;

  /** @param earlier The append of the same transaction that this one follows. */
  constructor(
    private readonly projections: readonly InlineProjection[],
    private readonly earlier?: InlineAppend | undefined,
  ) {}

  /** Gets the projections ready, once for the whole append. @returns a promise only when one has to read first. */
  prepare({ previous }: AppendTransaction): Promise<unknown> | undefined {
    if (this.staged !== undefined) return undefined;
    const earlier = this.earlier?.staged;
    if (earlier !== undefined) {
      this.staged = this.projections.map((projection, index) => projection.beginOn(earlier[index]));
      return undefined;
    }
    this.staged = this.projections.map((projection) => projection.begin(previous));
    const preparing = this.projections.flatMap((projection) => projection.prepare(previous) ?? []);
    return preparing.length === 0 ? undefined : Promise.all(preparing);
  }

  /**
   * Folds events of the append. @returns a promise only when a handler did.
   *
   * @throws {@link ProjectionError} when a handler throws; the append fails with it.
   */
  fold(events: readonly RecordedEvent[]): PromiseLike<void> | undefined {
    this.queue.push(...events);
    if (this.isWorking) return undefined;
    this.isWorking = true;
    const pending = this.workOff();
    if (pending === undefined) this.isWorking = false;
    return pending && this.finish(pending);
  }

  /** Shows readers what was staged, once the append has been committed. */
  settle(): void {
    for (const [index, staged] of this.staged?.entries() ?? []) this.projections[index]?.settle(staged);
  }

  /** Forgets what was staged, when the append has failed. */
  discard(): void {
    for (const [index, staged] of this.staged?.entries() ?? []) this.projections[index]?.discard(staged);
  }

  /** Folds also what is appended while nobody waits any more. */
  private async finish(pending: PromiseLike<void>): Promise<void> {
    for (let work: PromiseLike<void> | undefined = pending; work !== undefined; work = this.workOff()) await work;
    this.isWorking = false;
  }

  private workOff(): PromiseLike<void> | undefined {
    for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift()) {
      for (const [index, projection] of this.projections.entries()) {
        const pending = projection.stage(event);
        if (pending !== undefined) return this.goOn(pending, event, index + 1);
      }
    }
    return undefined;
  }

  private async goOn(pending: PromiseLike<void>, event: RecordedEvent, next: number): Promise<void> {
    await pending;
    for (const projection of this.projections.slice(next)) await projection.stage(event);
    await this.workOff();
  }
}
