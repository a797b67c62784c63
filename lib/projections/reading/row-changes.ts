import { Observable, Subject, type Subscription } from 'rxjs';
import type { Position } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import type { BlockedInstance, GenerationRecord, InstanceId, ProjectionStore } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { editionOf } from './edition';

/** What the following of changes works with. */
export interface RowChangesOptions {
  readonly store: EventStore;
  readonly place: ProjectionStore;
  readonly definition: ProjectionDefinition;
  /** Completes when nothing more comes. */
  readonly closed: Observable<void>;
  /** Listeners have been told of what was kept. */
  moved(): void;
  /** Tells of trouble that passes by itself. */
  trouble(projections: readonly string[], message: string): void;
}

/** An instance after a change: undefined when it is gone. */
export interface RowChange {
  readonly id: InstanceId;
  readonly state: object | undefined;
  /** Every change up to here has been told with this one, or before. */
  readonly position: Position | undefined;
  readonly edition: string | undefined;
  /** Whether it is told because another generation serves: it may be as it was. */
  readonly isOfSwap?: boolean;
}

/** Up to where changes have been told, and of which edition, as far as is known. */
export interface Told {
  readonly position: Position | undefined;
  readonly edition: string | undefined;
}

/** What changed after a position. */
export interface EarlierChanges extends Told {
  readonly changes: readonly RowChange[];
  readonly hasMissed: boolean;
}

/** From a checkpoint to a later one. */
interface Span {
  readonly before: Told;
  readonly upTo: Told;
}

/** So many instances are loaded at once. */
const batch = 1_000;

/** The pause before what could not be read is read again, at first and at last. */
const shortestPauseMs = 50;
const longestPauseMs = 5_000;

/** Taken here, so that fake timers in a user's tests do not stop the reading. */
const later = setTimeout;

/**
 * Tells which instances of a projection changed, whichever process changed them: it follows the checkpoint, finds out by the
 * events in between, and loads what they belong to. It reads only while somebody listens.
 */
export class RowChanges {
  private readonly subject = new Subject<RowChange>();
  private readonly swaps = new Subject<Told>();
  private listeners = 0;
  private following: Subscription | undefined;
  private seen: GenerationRecord | undefined;
  /** What stood still when `seen` was looked at, or somewhat later. */
  private blocked: readonly BlockedInstance[] = [];
  private isWorking = false;
  private hasMore = false;
  private pauseMs = shortestPauseMs;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private ready: Promise<void> | undefined;
  private isReady: (() => void) | undefined;

  constructor(private readonly options: RowChangesOptions) {
    options.closed.subscribe({ complete: () => this.close(), next: () => this.close() });
  }

  /** Every change from now on. It goes on after failures, where it was. */
  all(): Observable<RowChange> {
    return new Observable((subscriber) => {
      if (this.isClosed) {
        subscriber.complete();
        return undefined;
      }
      const subscription = this.subject.subscribe(subscriber);
      this.listeners += 1;
      if (this.listeners === 1) this.begin();
      return () => {
        subscription.unsubscribe();
        this.listeners -= 1;
        if (this.listeners === 0) this.end();
      };
    });
  }

  /** @returns when every change from then on is told of. */
  whenReady(): Promise<void> {
    return this.ready ?? Promise.resolve();
  }

  /** Up to where listeners have been told. */
  get told(): Told {
    return { position: this.seen?.checkpoint, edition: this.seen && editionOf(this.seen, this.blocked) };
  }

  /** Another generation serves from now on: instances may have changed, or be gone, that no event says so of. For who listens. */
  get swapped(): Observable<Told> {
    return this.swaps;
  }

  /** @returns each instance that changed after what somebody was told, up to what listeners have been, unless that is too much. */
  async since(earlier: Told, maxEvents: number): Promise<EarlierChanges> {
    const { store, definition } = this.options;
    const { told } = this;
    const { position } = told;
    const after = earlier.position;
    if (earlier.edition !== undefined && told.edition !== earlier.edition) return { changes: [], ...told, hasMissed: true };
    const touched = new Map<string, InstanceId>();
    if (position === undefined || (after !== undefined && store.compare(position, after) <= 0))
      return { changes: [], ...told, hasMissed: false };
    const criteria = [{ types: definition.folding.types }];
    let events = 0;
    for await (const event of store.read({ criteria, limit: maxEvents + 1, ...(after !== undefined && { after }) })) {
      if (store.compare(event.position, position) > 0) break;
      events += 1;
      if (events > maxEvents) return { changes: [], ...told, hasMissed: true };
      for (const identity of definition.folding.identitiesOf(event)) touched.set(identity.key, identity);
    }
    const changes: RowChange[] = [];
    await this.load([...touched.values()], { before: { ...told, position: after }, upTo: told }, (change) =>
      changes.push(change),
    );
    return { changes, ...told, hasMissed: false };
  }

  /** Whether whoever listens has been told of everything up to a checkpoint. */
  haveToldOf(checkpoint: Position | undefined): boolean {
    if (this.following === undefined || checkpoint === undefined) return true;
    const told = this.seen?.checkpoint;
    return told !== undefined && this.options.store.compare(told, checkpoint) >= 0;
  }

  private begin(): void {
    this.seen = undefined;
    this.ready = new Promise((resolve) => {
      this.isReady = resolve;
    });
    const { place, definition } = this.options;
    this.following = place.progressed().subscribe((name) => {
      if (name === undefined || name === definition.projection) this.look();
    });
    this.look();
  }

  private end(): void {
    this.following?.unsubscribe();
    this.following = undefined;
    clearTimeout(this.timer);
  }

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isReady?.();
    this.end();
    this.subject.complete();
    this.swaps.complete();
  }

  private look(): void {
    this.hasMore = true;
    if (!this.isWorking) void this.work();
  }

  private async work(): Promise<void> {
    this.isWorking = true;
    while (this.hasMore && this.following !== undefined) {
      this.hasMore = false;
      try {
        await this.readOn();
        this.isReady?.();
        this.options.moved();
        this.pauseMs = shortestPauseMs;
      } catch (error) {
        if (this.isClosed) break;
        const { projection } = this.options.definition;
        this.options.trouble(
          [projection],
          `Who watches ${projection} is not told of changes, and it tries again: ${String(error)}`,
        );
        this.timer = later(() => this.look(), this.pauseMs).unref();
        this.pauseMs = Math.min(longestPauseMs, this.pauseMs * 2);
      }
    }
    this.isWorking = false;
  }

  private async readOn(): Promise<void> {
    const { place, definition } = this.options;
    const records = await place.records(definition.projection);
    const record = records.find(({ role }) => role === 'serving');
    if (record === undefined) return;
    const { seen } = this;
    if (seen === undefined || seen.generation !== record.generation) return this.takeUp(record);
    if (seen.checkpoint === record.checkpoint && seen.token === record.token) return undefined;
    // Read before the instances are: one that is resumed in between is told of now, and again at the next look.
    const blocked = await place.blocked(record);
    const touched = new Map<string, InstanceId>();
    if (seen.token !== record.token) this.addResumed(touched);
    if (seen.checkpoint !== record.checkpoint) await this.addTouched(seen.checkpoint, record.checkpoint, touched);
    const span = { before: this.told, upTo: { position: record.checkpoint, edition: editionOf(record, blocked) } };
    await this.load([...touched.values()], span, (change) => this.subject.next(change));
    this.seen = record;
    this.blocked = blocked;
    return undefined;
  }

  /** Another generation serves: every instance may be another. */
  private async takeUp(record: GenerationRecord): Promise<void> {
    const { place, definition } = this.options;
    const { seen, told } = this;
    const blocked = await place.blocked(record);
    if (seen !== undefined)
      for await (const chunk of place.scan(definition, record))
        for (const state of chunk) this.subject.next({ id: definition.idOf(state), state, ...told, isOfSwap: true });
    this.seen = record;
    this.blocked = blocked;
    if (seen !== undefined) this.swaps.next(this.told);
  }

  /** Instances that stood still, and may not any more, change without the checkpoint. */
  private addResumed(touched: Map<string, InstanceId>): void {
    for (const { key, values } of this.blocked) if (values !== undefined) touched.set(key, { key, values });
  }

  private async addTouched(
    after: Position | undefined,
    upTo: Position | undefined,
    touched: Map<string, InstanceId>,
  ): Promise<void> {
    const { store, definition } = this.options;
    const { folding } = definition;
    if (upTo === undefined) return;
    const query = { criteria: [{ types: folding.types }], ...(after !== undefined && { after }) };
    for await (const chunk of store.read(query).chunks()) {
      for (const event of chunk) {
        if (store.compare(event.position, upTo) > 0) return;
        for (const identity of folding.identitiesOf(event)) touched.set(identity.key, identity);
      }
    }
  }

  /** Tells instances as they are kept. Who has heard the last of them has heard everything up to the end of the span. */
  private async load(ids: readonly InstanceId[], { before, upTo }: Span, tell: (change: RowChange) => void): Promise<void> {
    const { place, definition } = this.options;
    const of = { projection: definition.projection, role: 'serving' } as const;
    const last = ids.at(-1);
    for (let from = 0; from < ids.length; from += batch) {
      const some = ids.slice(from, from + batch);
      const states = await place.load(definition, of, some);
      for (const id of some) tell({ id, state: states.get(id.key), ...(id === last ? upTo : before) });
    }
  }
}
