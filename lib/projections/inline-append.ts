import type { Position, RecordedEvent } from '../events/recorded-event';
import type { AppendTransaction } from '../store/append';
import type { InlineProjection } from './inline-projection';

/** The inline projections at work in one append. Events that a handler appends are folded after those that led to them. */
export class InlineAppend {
  private readonly queue: RecordedEvent[] = [];
  private isWorking = false;

  constructor(private readonly projections: readonly InlineProjection[]) {}

  /** The hook of the append. @returns a promise only when a projection needs one. */
  beforeCommit(events: readonly RecordedEvent[], { previous }: AppendTransaction): PromiseLike<void> | undefined {
    this.queue.push(...events);
    if (this.isWorking) return undefined;
    this.isWorking = true;
    const preparing = this.projections.flatMap((projection) => projection.prepare(previous) ?? []);
    return preparing.length === 0 ? this.workOff() : Promise.all(preparing).then(() => this.workOff());
  }

  /** Shows readers what was staged, once the append has been committed. */
  settle(head: Position | undefined): void {
    for (const projection of this.projections) projection.settle(head);
  }

  private workOff(): PromiseLike<void> | undefined {
    for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift()) {
      for (const [index, projection] of this.projections.entries()) {
        const pending = projection.stage(event);
        if (pending !== undefined) return this.finish(pending, event, index + 1);
      }
    }
    return undefined;
  }

  private async finish(pending: PromiseLike<void>, event: RecordedEvent, next: number): Promise<void> {
    await pending;
    for (const projection of this.projections.slice(next)) await projection.stage(event);
    await this.workOff();
  }
}
