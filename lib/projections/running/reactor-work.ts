import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { BlockedInstance, Changes, GenerationRecord } from '../../store/projection-store';
import type { Chunk } from '../feeding/intake';
import { checkParked } from '../parking/check-parked';
import { untried } from '../parking/resume-instance';
import type { HeldGeneration } from './held-generation';
import { type Reaction, type ReactOptions, react, reactAgain } from './reaction';
import type { RunnerEnvironment } from './runner-environment';
import type { RunnerWork } from './runner-work';

/** Hands a reactor its events, one at a time. */
export class ReactorWork implements RunnerWork {
  /** What a reactor has done is kept before it does more, so that little is done twice. */
  readonly size = 1;
  /** Ends the handler that is under way. */
  private interruption = new AbortController();

  constructor(
    private readonly held: HeldGeneration,
    private readonly environment: RunnerEnvironment,
  ) {}

  /** One event, outside of any transaction: what it does cannot be taken back, so it is kept that it was done. */
  async apply(chunk: Chunk, record: GenerationRecord): Promise<boolean> {
    const reaction = await this.reacting((options) => react(chunk.events[0] as RecordedEvent, options));
    if (reaction !== undefined) checkParked(reaction.failures, chunk, this.held);
    return reaction !== undefined && this.keepReaction(record, reaction, chunk.upTo);
  }

  async retry(instance: BlockedInstance, record: GenerationRecord): Promise<void> {
    const { place } = this.environment;
    const reaction = await this.reacting((options) => reactAgain(instance, { ...options, place, record }));
    if (reaction !== undefined) await this.keepReaction(record, reaction, this.held.position);
  }

  /** @returns undefined when what was done is not to be kept. */
  private async reacting(work: (options: ReactOptions) => Promise<Reaction>): Promise<Reaction | undefined> {
    // One for each event: what listens to it, and is not told to stop, goes with it.
    this.interruption = new AbortController();
    const { signal } = this.interruption;
    const { causedBy, now } = this.environment;
    const { definition, blocked } = this.held;
    let reaction: Reaction | undefined;
    try {
      await this.held.keepingLease(
        async () => {
          reaction = await work({ projection: definition.folding, blocked: blocked.byKey, now, signal, causedBy });
        },
        () => this.interrupt(),
      );
      return reaction;
    } catch (error) {
      if (!signal.aborted) throw error;
      this.held.doubt();
      return undefined;
    }
  }

  /** What was done is kept also where others have changed the record meanwhile: unless another process runs it by now. */
  private async keepReaction(record: GenerationRecord, reaction: Reaction, to: Position | undefined): Promise<boolean> {
    const { place, owner, leaseMs, now } = this.environment;
    const { queued, released, failures } = reaction;
    const changes: Changes = { from: record.checkpoint, to, saved: [], removed: [], queued, released };
    let isKept = await this.held.keep(record, changes);
    if (!isKept) {
      const current = await place.renew(this.held.id, owner, leaseMs);
      // What an event waits behind may have been dealt with.
      const again = queued.map((event) => ({ ...event, failure: event.failure ?? untried(now(), 'handled') }));
      isKept = current !== undefined && (await this.held.keep(current, { ...changes, queued: again }));
      this.held.doubt();
    }
    if (isKept) for (const failure of failures) this.environment.report(failure);
    return isKept;
  }

  interrupt(): void {
    this.interruption.abort();
  }

  took(): void {}

  failed(_chunk: Chunk, error: unknown): void {
    throw error;
  }
}
