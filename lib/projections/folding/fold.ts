import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { Identity } from '../../metadata/identity';
import type { BlockedInstance, Changes, InstanceId, QueuedEvent, SavedInstance } from '../../store/projection-store';
import { FailedHandler } from '../parking/failed-handler';
import { firstFailure } from '../parking/failures';
import type { ProjectionFailure } from '../parking/parked-event';
import { ProjectionError } from '../projection-errors';
import { type Application, type ProjectionClass, runSteps } from './projection-class';
import { HandlerContext, type ManagerSource } from './projection-context';

/** Loads instances that are kept. */
export type Load = (ids: readonly InstanceId[]) => Promise<Map<string, object>>;

/** What a chunk is folded with. */
export interface FoldOptions {
  readonly projection: ProjectionClass;
  readonly load: Load;
  /** The instances that stand still, by key. */
  readonly blocked: ReadonlyMap<string, BlockedInstance>;
  readonly managers: ManagerSource;
  readonly now: () => Date;
  /** `'park'` keeps a failed event in its instance's queue; `'throw'` gives up the chunk with a {@link FailedHandler}. */
  readonly onFailure: 'park' | 'throw';
  /** The key of the one instance that is concerned; all are unless given. */
  readonly only?: string;
}

/** One stored event for one instance. */
interface Item extends Application {
  /** As it is stored, which is what a queue keeps. */
  readonly recorded: RecordedEvent;
  readonly working: Working;
  /** What else was stored in it for the instance. */
  readonly more: readonly Application[] | undefined;
}

/** An instance while events are folded into it. */
class Working {
  state: object | undefined;
  /** It was kept when it was loaded. */
  exists = false;
  /** It stands still, and takes no more events. */
  isBlocked = false;
  /** A handler failed half way. */
  isTorn = false;
  readonly applied: Item[] = [];
  /** With so many of these applied it was removed last. */
  removedAt = 0;

  constructor(readonly identity: Identity) {}
}

/** Folds chunks of events into the instances that they belong to, each loaded once, and tells what is to be kept. */
export class Fold {
  readonly failures: ProjectionFailure[] = [];
  /** Whether a handler has answered with a promise. */
  hasWaited = false;
  private readonly working = new Map<string, Working>();
  private readonly queued: QueuedEvent[] = [];
  private unloaded: Working[] = [];

  constructor(private readonly options: FoldOptions) {}

  /** Loads what events belong to, all at once, before they are added in several parts. */
  async prepare(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) for (const identity of this.options.projection.identitiesOf(event)) this.workOn(identity);
    await this.loadMissing();
  }

  /** Folds events, in order. @throws what `load` does, and a {@link FailedHandler} where that is asked for. */
  async add(events: readonly RecordedEvent[]): Promise<void> {
    const items = this.route(events);
    await this.loadMissing();
    for (let index = 0; index < items.length; index += 1) {
      const item = items[index] as Item;
      const pending = item.more === undefined ? this.apply(item) : this.applyAll(item, item.more);
      if (pending !== undefined) await pending;
    }
    await this.restoreTorn();
  }

  /** What is to be kept of it all. */
  changes(from: Position | undefined, to: Position | undefined): Changes {
    const saved: SavedInstance[] = [];
    const removed: InstanceId[] = [];
    for (const { identity, state, exists, applied, removedAt } of this.working.values()) {
      if (applied.length === 0) continue;
      // One that was made again has nothing of the one before, also where one chunk holds both.
      const isAnother = removedAt > 0 && removedAt <= applied.length;
      if (exists && (state === undefined || isAnother)) removed.push(identity);
      if (state !== undefined) saved.push({ id: identity, state, isNew: !exists || isAnother });
    }
    return { from, to, saved, removed, queued: this.queued, released: [] };
  }

  private route(events: readonly RecordedEvent[]): Item[] {
    const { projection, only } = this.options;
    const items: Item[] = [];
    for (const recorded of events) {
      try {
        for (const { identity, event, steps, more } of projection.targetsOf(recorded))
          if (only === undefined || identity.key === only)
            items.push({ recorded: storedFormOf(recorded, event), event, steps, more, working: this.workOn(identity) });
      } catch (error) {
        this.keepUnrouted(recorded, error);
      }
    }
    return items;
  }

  private workOn(identity: Identity): Working {
    let working = this.working.get(identity.key);
    if (working === undefined) {
      working = new Working(identity);
      working.isBlocked = this.options.blocked.has(identity.key);
      this.working.set(identity.key, working);
      if (!working.isBlocked) this.unloaded.push(working);
    }
    return working;
  }

  private async loadMissing(): Promise<void> {
    const { unloaded } = this;
    if (unloaded.length === 0) return;
    this.unloaded = [];
    const states = await this.options.load(unloaded.map(({ identity }) => identity));
    if (states.size === 0) return;
    for (const working of unloaded) {
      working.state = states.get(working.identity.key);
      working.exists = working.state !== undefined;
    }
  }

  /** All that one stored event means to an instance: when a part of it fails, the whole of it has. */
  private async applyAll(item: Item, more: readonly Application[]): Promise<void> {
    const { working, recorded } = item;
    if (working.isBlocked) {
      this.enqueue(working.identity, recorded);
      return;
    }
    const { length } = working.applied;
    for (const part of [item, ...more]) if (!working.isBlocked) await this.apply({ ...item, ...part });
    if (working.isBlocked) working.applied.length = length;
  }

  private apply(item: Item): PromiseLike<void> | undefined {
    const { working, event, recorded } = item;
    if (working.isBlocked) {
      this.enqueue(working.identity, recorded);
      return undefined;
    }
    const context = new HandlerContext(event, this.options.managers, this.options.projection.services);
    try {
      const isNew = working.state === undefined;
      const state = working.state ?? this.options.projection.create(working.identity);
      const pending = runSteps(item.steps, state, event.data, context);
      if (pending === undefined) {
        this.settle(item, state, context, isNew);
        return undefined;
      }
      this.hasWaited = true;
      return Promise.resolve(pending).then(
        () => this.settle(item, state, context, isNew),
        (error: unknown) => this.fail(item, error),
      );
    } catch (error) {
      this.fail(item, error);
      return undefined;
    }
  }

  private settle(item: Item, state: object, context: HandlerContext, isNew: boolean): void {
    const { working } = item;
    if (isNew && context.isIgnored) return;
    working.state = context.isDeleted ? undefined : state;
    working.applied.push(item);
    if (context.isDeleted) working.removedAt = working.applied.length;
  }

  private fail({ working, recorded: event }: Item, cause: unknown): void {
    const { projection, onFailure } = this.options;
    const { identity } = working;
    const error = new ProjectionError(projection.name, projection.idsOf(identity), event, cause);
    if (onFailure === 'throw') throw new FailedHandler(error, event);
    working.isBlocked = true;
    working.isTorn = true;
    this.keep(identity.key, identity.values, event, error);
  }

  /** An event that does not say which instance it belongs to is kept by itself. */
  private keepUnrouted(event: RecordedEvent, cause: unknown): void {
    const { projection, onFailure } = this.options;
    const error = new ProjectionError(projection.name, undefined, event, cause);
    if (onFailure === 'throw') throw new FailedHandler(error, event);
    this.keep(unroutedKey(event), undefined, event, error);
  }

  private keep(key: string, values: InstanceId['values'] | undefined, event: RecordedEvent, error: ProjectionError): void {
    const failure = firstFailure(error, this.options.projection.options.retry, this.options.now());
    this.queued.push({ key, values, event, failure });
    const { name } = this.options.projection;
    this.failures.push({ projection: name, ids: error.ids, event, error, attempts: 1, isParked: failure.retryAt === undefined });
  }

  private enqueue({ key, values }: Identity, event: RecordedEvent): void {
    this.queued.push({ key, values, event, failure: undefined });
  }

  /** What a handler changed before it failed is undone: the instance is loaded again, and folded up to there. */
  private async restoreTorn(): Promise<void> {
    const torn = [...this.working.values()].filter(({ isTorn }) => isTorn);
    if (torn.length === 0) return;
    const again = torn.filter(({ exists, applied }) => exists && applied.length > 0);
    const states =
      again.length === 0 ? new Map<string, object>() : await this.options.load(again.map(({ identity }) => identity));
    for (const working of torn) {
      working.isTorn = false;
      working.state = states.get(working.identity.key);
      await this.replay(working);
    }
  }

  private async replay(working: Working): Promise<void> {
    for (const { event, steps } of working.applied) {
      const state = working.state ?? this.options.projection.create(working.identity);
      const context = new HandlerContext(event, this.options.managers, this.options.projection.services);
      await runSteps(steps, state, event.data, context);
      working.state = context.isDeleted ? undefined : state;
    }
  }
}

/** @returns what stands for a stored event in a queue: the event itself where it is as it is stored. */
function storedFormOf(recorded: RecordedEvent, event: RecordedEvent): RecordedEvent {
  return event.type === recorded.type && event.schemaVersion === recorded.schemaVersion ? event : recorded;
}

/** @returns the key under which an event that names no instance is kept. */
export function unroutedKey({ position }: Pick<RecordedEvent, 'position'>): string {
  return `\u0001${position}`;
}
