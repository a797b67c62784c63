import { Subject } from 'rxjs';
import { decode } from '../events/decode';
import type { RecordedEvent } from '../events/recorded-event';
import type { Identity } from '../metadata/identity';
import type { EventStore } from '../store/event-store';
import { copyState } from './copy-state';
import type { ParkedEvent, ProjectionFailure } from './parked-event';
import { type ProjectionClass, runSteps, type Step } from './projection-class';
import { NotParkedError, ProjectionError } from './projection-errors';

/** One projection instance. */
export interface Instance {
  /** Undefined for an event that names no instance. */
  readonly identity: Identity | undefined;
  state: object;
  blocked: Blocked | undefined;
  /** The async handler that is changing the state. */
  running: Promise<void> | undefined;
  /** Positions of events that were skipped, and are left out when the state is folded anew. */
  readonly skipped: Set<string>;
  /** An event has been applied; without one the instance does not exist for readers. */
  hasState: boolean;
}

/** Why an instance stands still: its first event failed, the others wait behind it. */
interface Blocked {
  readonly queue: RecordedEvent[];
  error: ProjectionError;
  attempts: number;
  firstFailedAt: string;
  lastFailedAt: string;
  isParked: boolean;
  /** Folding it anew failed as well; it is folded before the next try. */
  isTorn: boolean;
  /** The work under way on this instance: folding it anew, or going through its queue. */
  work: Promise<void> | undefined;
  timer?: NodeJS.Timeout;
}

/** What the documents of a projection need around them. */
export interface DocumentsEnvironment {
  readonly store: EventStore;
  now(): Date;
  report(failure: ProjectionFailure): void;
  /** Called when an instance stops being tried again by itself. */
  progressed(): void;
}

/**
 * The instances of one projection, each a document in memory, and what failed on them.
 *
 * A handler may have changed half of a state when it throws. The state is then folded anew from the store, which
 * costs time only where something failed.
 */
export class Documents {
  readonly instances = new Map<string, Instance>();
  /** How many instances are waiting to be tried again by themselves. */
  retrying = 0;
  private readonly changed = new Subject<object>();
  private readonly watched = new Map<string, Subject<object>>();
  /** Positions of events that named no instance, and were skipped. */
  private readonly left = new Set<string>();
  private isClosed = false;

  constructor(
    readonly projection: ProjectionClass,
    private readonly environment: DocumentsEnvironment,
  ) {}

  instanceOf(identity: Identity): Instance {
    let instance = this.instances.get(identity.key);
    if (instance === undefined) {
      instance = instanceWith(identity, this.projection.create(identity));
      this.instances.set(identity.key, instance);
    }
    return instance;
  }

  /** Applies the event to the instance of that identity, or parks it there, also when there is no making that instance. */
  applyTo(identity: Identity, steps: readonly Step[], event: RecordedEvent): PromiseLike<void> | undefined {
    let instance: Instance;
    try {
      instance = this.instanceOf(identity);
    } catch (error) {
      instance = instanceWith(identity, {});
      this.instances.set(identity.key, instance);
      this.block(instance, event, error);
      return undefined;
    }
    return this.apply(instance, steps, event);
  }

  /** Applies the event to an instance, or parks it there. @returns a promise only when a handler returned one. */
  apply(instance: Instance, steps: readonly Step[], event: RecordedEvent): PromiseLike<void> | undefined {
    if (instance.blocked !== undefined) {
      instance.blocked.queue.push(event);
      return undefined;
    }
    let running: PromiseLike<void> | undefined;
    try {
      running = runSteps(steps, instance.state, event);
    } catch (error) {
      this.block(instance, event, error);
      return undefined;
    }
    if (running === undefined) return this.announce(instance);
    instance.running = Promise.resolve(running).then(
      () => {
        instance.running = undefined;
        this.announce(instance);
      },
      (error: unknown) => {
        instance.running = undefined;
        this.block(instance, event, error);
      },
    );
    return instance.running;
  }

  /** Keeps an event that does not say which instance it belongs to; once, however often it comes. */
  keepUnroutable(event: RecordedEvent, error: unknown): void {
    if (this.isLeftOut(event)) return;
    const instance = instanceWith(undefined, {});
    this.instances.set(unroutableKey(event), instance);
    this.block(instance, event, error);
  }

  /** @returns a copy of the instance's state as it is now, or undefined when it has none. */
  async get(identity: Identity): Promise<object | undefined> {
    for (let work = this.workOn(identity); work !== undefined; work = this.workOn(identity)) await work;
    return this.peek(identity);
  }

  /** @returns what is changing the instance's state right now, so that it is not fit to be seen. */
  workOn(identity: Identity): Promise<void> | undefined {
    const instance = this.instances.get(identity.key);
    return instance?.running ?? instance?.blocked?.work;
  }

  peek(identity: Identity): object | undefined {
    const instance = this.instances.get(identity.key);
    return instance?.hasState ? copyState(instance.state) : undefined;
  }

  /** @returns the state of each instance after each change of it. */
  changes(): Subject<object> {
    return this.changed;
  }

  /** @returns the state of an instance after each change of it. */
  watch(key: string): Subject<object> {
    const subject = this.watched.get(key) ?? new Subject<object>();
    this.watched.set(key, subject);
    if (this.isClosed) subject.complete();
    return subject;
  }

  unwatch(key: string): void {
    if (this.watched.get(key)?.observed === false) this.watched.delete(key);
  }

  parked(): ParkedEvent[] {
    return [...this.instances.values()].flatMap((instance) =>
      instance.blocked?.isParked ? this.parkedEvent(instance.blocked) : [],
    );
  }

  /** @returns the instances on which an event is parked. */
  parkedInstances(): Instance[] {
    return [...this.instances.values()].filter((instance) => instance.blocked?.isParked === true);
  }

  /** Tries the parked event again, then those that wait behind it. */
  async retry(instance: Instance): Promise<void> {
    const { blocked } = instance;
    while (blocked?.work !== undefined) await blocked.work;
    if (blocked?.isParked && instance.blocked === blocked) await this.resume(instance, blocked);
  }

  /**
   * Leaves the parked event out for good, then goes on with those behind it.
   *
   * @throws {@link NotParkedError} when somebody else dealt with the event meanwhile.
   */
  async skip(instance: Instance): Promise<void> {
    const { blocked } = instance;
    const event = blocked?.queue[0];
    while (blocked?.work !== undefined) await blocked.work;
    if (blocked === undefined || event === undefined || !blocked.isParked || blocked.queue[0] !== event)
      throw new NotParkedError(this.projection.name, instance.identity && this.projection.idsOf(instance.identity));
    blocked.queue.shift();
    if (instance.identity === undefined) this.left.add(event.position);
    else instance.skipped.add(event.position);
    blocked.attempts = 0;
    await this.resume(instance, blocked);
  }

  /** Replaces the states of instances, after a commit that changed copies of them. */
  replace(states: ReadonlyMap<Instance, object>): void {
    for (const [instance, state] of states) {
      instance.state = state;
      instance.hasState = true;
    }
  }

  close(): void {
    this.isClosed = true;
    for (const { blocked } of this.instances.values()) clearTimeout(blocked?.timer);
    this.changed.complete();
    for (const subject of this.watched.values()) subject.complete();
  }

  /** Tells of a change. */
  announce(instance: Instance, state = instance.state): undefined {
    instance.hasState = true;
    if (this.changed.observed) this.changed.next(state);
    if (this.watched.size === 0 || instance.identity === undefined) return undefined;
    const subject = this.watched.get(instance.identity.key);
    if (subject?.observed) subject.next(state);
    return undefined;
  }

  private block(instance: Instance, event: RecordedEvent, error: unknown): void {
    const time = this.environment.now().toISOString();
    const blocked: Blocked = {
      queue: [event],
      error: this.errorOf(instance, event, error),
      attempts: 1,
      firstFailedAt: time,
      lastFailedAt: time,
      isParked: false,
      isTorn: false,
      work: undefined,
    };
    instance.blocked = blocked;
    this.retrying += 1;
    this.track(blocked, this.restore(instance, blocked, event));
    this.afterFailure(instance, blocked, event);
  }

  /** Lets readers wait for the work until it is done. */
  private track(blocked: Blocked, work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => {
      if (blocked.work === tracked) blocked.work = undefined;
    });
    blocked.work = tracked;
    return tracked;
  }

  /** Parks the event, or has it tried again later. */
  private afterFailure(instance: Instance, blocked: Blocked, event: RecordedEvent): void {
    const { attempts, delayMs } = this.projection.options.retry;
    const { error } = blocked;
    const isParked = blocked.attempts >= attempts;
    if (isParked) this.setParked(blocked, true);
    else blocked.timer = setTimeout(() => void this.retryBySelf(instance, blocked), delayMs * 2 ** (blocked.attempts - 1));
    this.environment.report({
      projection: this.projection.name,
      ids: error.ids,
      event,
      error,
      attempts: blocked.attempts,
      isParked,
    });
  }

  private async retryBySelf(instance: Instance, blocked: Blocked): Promise<void> {
    while (blocked.work !== undefined) await blocked.work;
    if (!this.isClosed && instance.blocked === blocked) await this.resume(instance, blocked);
  }

  private resume(instance: Instance, blocked: Blocked): Promise<void> {
    clearTimeout(blocked.timer);
    this.setParked(blocked, false);
    return this.track(
      blocked,
      Promise.resolve().then(() => this.goThrough(instance, blocked)),
    );
  }

  private async goThrough(instance: Instance, blocked: Blocked): Promise<void> {
    for (let event = blocked.queue[0]; event !== undefined; event = blocked.queue[0]) {
      try {
        if (blocked.isTorn) await this.refold(instance, blocked, event);
        await runSteps(this.stepsOf(instance, event), instance.state, event);
      } catch (error) {
        if (blocked.attempts === 0) blocked.firstFailedAt = this.environment.now().toISOString();
        blocked.attempts += 1;
        blocked.error = this.errorOf(instance, event, error);
        blocked.lastFailedAt = this.environment.now().toISOString();
        const restored = this.restore(instance, blocked, event);
        this.afterFailure(instance, blocked, event);
        await restored;
        return;
      }
      blocked.queue.shift();
      blocked.attempts = 0;
      this.announce(instance);
    }
    instance.blocked = undefined;
    this.retrying -= 1;
    if (instance.identity === undefined) this.forget(instance);
    this.environment.progressed();
  }

  private forget(instance: Instance): void {
    for (const [key, other] of this.instances) if (other === instance) this.instances.delete(key);
  }

  private setParked(blocked: Blocked, isParked: boolean): void {
    if (blocked.isParked === isParked) return;
    blocked.isParked = isParked;
    this.retrying += isParked ? -1 : 1;
    if (isParked) this.environment.progressed();
  }

  private stepsOf({ identity }: Instance, event: RecordedEvent): readonly Step[] {
    if (identity !== undefined) return this.projection.stepsOf(identity, event);
    const targets = this.projection.targetsOf(this.decoded(event));
    const keys = targets.map((target) => JSON.stringify(target.identity.key)).join(', ');
    throw new Error(
      `it names ${keys || 'no instance'} now, whose later events have been applied. Open again to fold it in order.`,
    );
  }

  /** Undoes what a handler changed before it threw. Never rejects. */
  private async restore(instance: Instance, blocked: Blocked, end: RecordedEvent): Promise<void> {
    try {
      await this.refold(instance, blocked, end);
    } catch {
      // What failed first is reported and parked; the next try folds the instance again.
    }
  }

  /** Folds the instance anew from all its events before `end`. */
  private async refold(instance: Instance, blocked: Blocked, end: RecordedEvent): Promise<void> {
    const { identity } = instance;
    if (identity === undefined) return;
    blocked.isTorn = true;
    instance.hasState = false;
    instance.state = this.projection.create(identity);
    const criteria = [{ types: this.projection.types }];
    for await (const chunk of this.environment.store.read({ criteria, before: end.position }).chunks()) {
      for (const recorded of chunk) await this.refoldEvent(instance, identity, recorded);
    }
    blocked.isTorn = false;
  }

  private refoldEvent(instance: Instance, identity: Identity, recorded: RecordedEvent): PromiseLike<void> | undefined {
    if (instance.skipped.has(recorded.position) || this.isLeftOut(recorded)) return undefined;
    const event = this.decoded(recorded);
    const steps = this.projection.stepsOf(identity, event);
    if (steps.length === 0) return undefined;
    instance.hasState = true;
    return runSteps(steps, instance.state, event);
  }

  /** Says whether the event is parked by itself, as it names no instance, or was skipped as such. */
  private isLeftOut(event: RecordedEvent): boolean {
    return this.left.has(event.position) || this.instances.has(unroutableKey(event));
  }

  private decoded(event: RecordedEvent): RecordedEvent {
    return decode(event, (this.projection.stepsFor(event.type)[0] as Step).model.event.class);
  }

  private errorOf({ identity }: Instance, event: RecordedEvent, error: unknown): ProjectionError {
    return new ProjectionError(this.projection.name, identity && this.projection.idsOf(identity), event, error);
  }

  private parkedEvent(blocked: Blocked): ParkedEvent {
    const { queue, error, attempts, firstFailedAt, lastFailedAt } = blocked;
    const event = queue[0] as RecordedEvent;
    return {
      projection: this.projection.name,
      ids: error.ids,
      event,
      error,
      attempts,
      firstFailedAt,
      lastFailedAt,
      waiting: queue.length - 1,
    };
  }
}

function instanceWith(identity: Identity | undefined, state: object): Instance {
  return { identity, state, blocked: undefined, running: undefined, skipped: new Set(), hasState: false };
}

function unroutableKey(event: RecordedEvent): string {
  return `\0${event.position}`;
}
