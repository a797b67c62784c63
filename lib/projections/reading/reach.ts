import { merge, type Observable } from 'rxjs';
import { EventSourcingError } from '../../event-sourcing-error';
import type { Position } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import type { ProjectionStore } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { CaughtUpTimeoutError, ClosedError } from '../projection-errors';
import type { KeptProjection } from '../running/kept-projection';

/** A projection that is waited for. */
export type Reachable = Pick<KeptProjection, 'definition' | 'runner' | 'isInline' | 'changes'>;

/** What waiting works with. */
export interface ReachOptions {
  readonly store: EventStore;
  readonly place: ProjectionStore;
  /** Something has moved in this process. */
  readonly moved: Observable<void>;
  readonly closed: Observable<void>;
}

/** What a timer can hold; a longer one would fire at once. */
const longestTimeoutMs = 2 ** 31 - 1;

/** Wake-ups may be lost, or tell too early. */
const lookAgainMs = 100;

/** Taken here, so that fake timers in a user's tests do not stop the waiting. */
const later = setTimeout;

/** The last look may take so long: who gives no time at all wants to know how it is. */
const lastLookMs = 1_000;

/**
 * Waits until projections show everything up to a position, whichever process runs them.
 *
 * @param find Tells the position; undefined when there is nothing to wait for.
 * @throws {@link CaughtUpTimeoutError} or {@link ClosedError}.
 */
export async function reach(
  awaited: readonly Reachable[],
  find: () => Promise<Position | undefined>,
  timeoutMs: number,
  options: ReachOptions,
): Promise<void> {
  const bell = new Bell(timeoutMs, options);
  let left = awaited;
  let position: Position | undefined;
  let cause: unknown;
  const look = async (): Promise<readonly Reachable[]> => {
    position ??= await find();
    return position === undefined ? [] : leftOf(left, position, options);
  };
  try {
    for (;;) {
      bell.silence();
      try {
        left = (await bell.unlessOver(look())) ?? left;
        cause = undefined;
      } catch (error) {
        // The database may come back in time.
        if (error instanceof EventSourcingError) throw error;
        cause = error;
      }
      if (left.length === 0) return;
      const end = await bell.rung();
      if (end === 'closed') throw new ClosedError();
      if (end !== 'late') continue;
      const reasons = (await bell.unlessOver(reasonsOf(left, options)).catch(() => undefined)) ?? [];
      throw new CaughtUpTimeoutError(namesOf(left), position ?? 'the newest event', timeoutMs, reasons, { cause });
    }
  } finally {
    bell.remove();
  }
}

/** Rings when there may be something new to see, and when the waiting is over. */
class Bell {
  private end: 'late' | 'closed' | undefined;
  private hasRung = false;
  private wake: (() => void) | undefined;
  private endWaiting: (() => void) | undefined;
  private readonly ending = new Promise<undefined>((resolve) => {
    this.endWaiting = () => resolve(undefined);
  });
  private readonly deadline: NodeJS.Timeout | undefined;
  private lastLook: NodeJS.Timeout | undefined;
  private readonly subscriptions;

  constructor(timeoutMs: number, { moved, closed, place }: ReachOptions) {
    if (timeoutMs <= longestTimeoutMs) this.deadline = later(() => this.over('late'), timeoutMs);
    const woken = merge(moved, place.progressed());
    this.subscriptions = [woken.subscribe(() => this.ring()), closed.subscribe(() => this.over('closed'))];
  }

  /** @returns what `looking` gives; undefined when the waiting is over before that: a connection may be lost without a word. */
  async unlessOver<T>(looking: Promise<T>): Promise<T | undefined> {
    looking.catch(() => undefined);
    return Promise.race([looking, this.ending]);
  }

  silence(): void {
    this.hasRung = false;
  }

  /** @returns why the waiting is over; undefined when it is not. */
  async rung(): Promise<'late' | 'closed' | undefined> {
    if (!this.hasRung && this.end === undefined) {
      let again: NodeJS.Timeout | undefined;
      await new Promise<void>((wake) => {
        this.wake = wake;
        again = later(wake, lookAgainMs);
      });
      clearTimeout(again);
    }
    return this.end;
  }

  remove(): void {
    clearTimeout(this.deadline);
    clearTimeout(this.lastLook);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private ring(): void {
    this.hasRung = true;
    this.wake?.();
  }

  private over(how: 'late' | 'closed'): void {
    this.end ??= how;
    if (how === 'closed') this.endWaiting?.();
    else this.lastLook = later(() => this.endWaiting?.(), lastLookMs);
    this.wake?.();
  }
}

function namesOf(left: readonly Reachable[]): string[] {
  return left.map(({ definition }) => definition.projection);
}

/** @returns why projections stand still that will not go on by themselves. */
async function reasonsOf(left: readonly Reachable[], { place }: ReachOptions): Promise<string[]> {
  const reasons: string[] = [];
  for (const { definition, runner } of left) {
    const { projection } = definition;
    const serving = (await place.records(projection)).find(({ role }) => role === 'serving');
    if (serving?.failure !== undefined)
      reasons.push(`${projection} has failed: ${serving.failure} Mend that, then es.projections.resume(${projection}).`);
    else if (serving?.isPaused) reasons.push(`${projection} is paused. It goes on with es.projections.resume(${projection}).`);
    else if (runner?.state === 'failed') reasons.push(`${projection} fails, and tries again: ${String(runner.lastError)}`);
  }
  return reasons;
}

async function leftOf(awaited: readonly Reachable[], position: Position, options: ReachOptions): Promise<Reachable[]> {
  const left: Reachable[] = [];
  for (const one of awaited) if (!(await hasReached(one, position, options))) left.push(one);
  return left;
}

/** Says whether a projection shows everything up to a position: a parked event does not hold it up, one that is tried again does. */
export async function hasReached(
  { definition, runner, isInline, changes }: Reachable,
  position: Position,
  { store, place }: Pick<ReachOptions, 'store' | 'place'>,
): Promise<boolean> {
  const isAt = (checkpoint: Position | undefined) => checkpoint !== undefined && store.compare(checkpoint, position) >= 0;
  // Appends move an inline projection's checkpoint as well.
  if (!isInline && runner?.isLeading) return isAt(runner.position) && !runner.isRetrying && changes.haveToldOf(runner.checkpoint);
  const records = await place.records(definition.projection);
  const serving = records.find(({ role }) => role === 'serving');
  if (serving === undefined) return false;
  if (!isAt(serving.checkpoint) && !(await isWithout(definition, serving.checkpoint, position, store))) return false;
  if (!changes.haveToldOf(serving.checkpoint)) return false;
  return (await place.blocked(serving)).every(({ failure }) => failure.retryAt === undefined);
}

/** Says whether nothing between two positions concerns a projection. */
async function isWithout(
  { folding }: ProjectionDefinition,
  after: Position | undefined,
  upTo: Position,
  store: EventStore,
): Promise<boolean> {
  const head = await store.head();
  // What cannot be read yet may concern it.
  if (head === undefined || store.compare(head, upTo) < 0) return false;
  const query = { criteria: [{ types: folding.types }], limit: 1, ...(after !== undefined && { after }) };
  for await (const event of store.read(query)) return store.compare(event.position, upTo) > 0;
  return true;
}
