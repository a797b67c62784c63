import { Observable } from 'rxjs';
import { decode } from '../events/decode';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { Identity } from '../metadata/identity';
import { criteriaOf } from '../metadata/registry';
import { type ClassSnapshots, type Recalled, snapshotsOf } from '../snapshots/class-snapshots';
import { resume } from '../snapshots/resume';
import type { SnapshotMiss } from '../snapshots/snapshot-stats';
import type { Snapshots } from '../snapshots/snapshots';
import type { EventStore } from '../store/event-store';
import { follow } from '../store/follow';
import { copyState } from './copy-state';
import { type ProjectionClass, runSteps, type Step } from './projection-class';
import { ProjectionError } from './projection-errors';

/** What a live projection is made with. */
export interface LiveProjectionOptions {
  readonly store: EventStore;
  readonly snapshots: Snapshots;
}

/** An instance, and how far it is folded. */
interface Folded {
  state: object | undefined;
  after: Position | undefined;
  /** How many events its state is folded from. */
  folded: number;
  /** The last event that was read, and the position of the one before. */
  last: { readonly eventId: string; readonly previous: Position | undefined } | undefined;
  /** How many events the snapshot it began at is made of. */
  snapshotAt: number;
}

/** Folds an instance from the events of its boundary whenever somebody asks, and keeps nothing but snapshots. */
export class LiveProjection {
  private readonly store: EventStore;
  private readonly snapshots: ClassSnapshots | undefined;

  constructor(
    readonly projection: ProjectionClass,
    { store, snapshots }: LiveProjectionOptions,
  ) {
    this.store = store;
    const construct = (identity: Identity) => projection.create(identity);
    this.snapshots = snapshotsOf(snapshots, { model: projection.model, guard: 'boundary', construct });
  }

  /** @throws {@link ProjectionError} when a handler throws. */
  async get(identity: Identity): Promise<object | undefined> {
    const folded = await this.fold(identity);
    if (this.snapshots !== undefined) this.keep(identity, folded, this.snapshots);
    return folded.state;
  }

  /** @returns the instance now, then after every change, until the store closes. A handler that throws ends it. */
  watch(identity: Identity): Observable<object | undefined> {
    return new Observable((subscriber) => {
      const stop = new AbortController();
      const run = async () => {
        let { state, after } = await this.fold(identity);
        subscriber.next(state && copyState(state));
        for await (const chunk of follow(
          this.store,
          { criteria: this.criteria(identity), ...(after && { after }) },
          stop.signal,
        )) {
          for (const event of chunk) {
            state = await this.step(identity, state, event);
            after = event.position;
            subscriber.next(state && copyState(state));
          }
        }
      };
      run().then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => stop.abort();
    });
  }

  /** @returns each instance that changes from now on, folded anew from its boundary. A handler that throws ends it. */
  changes(): Observable<object> {
    return new Observable((subscriber) => {
      const stop = new AbortController();
      const run = async () => {
        const after = await this.store.head();
        const criteria = [{ types: this.projection.types }];
        for await (const chunk of follow(this.store, { criteria, ...(after && { after }) }, stop.signal)) {
          for (const event of chunk) for (const state of await this.statesAt(event)) subscriber.next(state);
        }
      };
      run().then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => stop.abort();
    });
  }

  private async statesAt(recorded: RecordedEvent): Promise<object[]> {
    const event = this.decoded(recorded);
    const states = this.projection
      .targetsOf(event)
      .map(async ({ identity }) => (await this.fold(identity, event.position)).state as object);
    return Promise.all(states);
  }

  /** The state is the reader's as soon as he has it, so it is written down before. */
  private keep(identity: Identity, { state, after, folded, last, snapshotAt }: Folded, snapshots: ClassSnapshots): void {
    if (state === undefined || after === undefined || last === undefined || !snapshots.isFar(folded, snapshotAt)) return;
    const snapshot = snapshots.make(state, identity, { ...last, position: after, folded, version: 0 });
    if (snapshot !== undefined) snapshots.later(identity, () => snapshots.save(snapshot));
  }

  private async fold(identity: Identity, end?: Position): Promise<Folded> {
    const folded: Folded = { state: undefined, after: undefined, folded: 0, last: undefined, snapshotAt: 0 };
    const chunks = this.snapshots && (await this.begin(identity, folded, this.snapshots, end));
    for await (const chunk of chunks ?? this.store.read({ criteria: this.criteria(identity) }).chunks()) {
      for (const event of chunk) {
        if (end !== undefined && this.store.compare(event.position, end) > 0) return folded;
        folded.state = await this.step(identity, folded.state, event);
        if (folded.state !== undefined) folded.folded += 1;
        if (this.snapshots !== undefined) folded.last = { eventId: event.id, previous: folded.after };
        folded.after = event.position;
      }
    }
    return folded;
  }

  /** Puts `folded` to where the instance's snapshot is. @returns what to fold after it, or undefined for all there is. */
  private async begin(
    identity: Identity,
    folded: Folded,
    snapshots: ClassSnapshots,
    end: Position | undefined,
  ): Promise<AsyncIterable<readonly RecordedEvent[]> | undefined> {
    const recalled = await snapshots.recall(identity);
    const beginning = typeof recalled === 'string' ? recalled : await this.beginAt(identity, folded, recalled, end);
    if (typeof beginning === 'string') {
      snapshots.missed(identity, beginning);
      return undefined;
    }
    snapshots.hit();
    return beginning;
  }

  private async beginAt(
    identity: Identity,
    folded: Folded,
    { snapshot, instance }: Recalled,
    end: Position | undefined,
  ): Promise<AsyncIterable<readonly RecordedEvent[]> | SnapshotMiss> {
    const { previous, eventId, position } = snapshot;
    const query = { criteria: this.criteria(identity), ...(previous !== undefined && { after: previous }) };
    const chunks = await resume(this.store, query, snapshot, end);
    if (typeof chunks === 'string') return chunks;
    const last = { eventId, previous };
    Object.assign(folded, { state: instance, after: position, folded: snapshot.folded, last, snapshotAt: snapshot.folded });
    return chunks;
  }

  private async step(identity: Identity, state: object | undefined, recorded: RecordedEvent): Promise<object | undefined> {
    try {
      const event = this.decoded(recorded);
      const steps = this.projection.stepsOf(identity, event);
      const next = steps.length === 0 ? state : (state ?? this.projection.create(identity));
      const pending = next && runSteps(steps, next, event);
      if (pending !== undefined) await pending;
      return next;
    } catch (error) {
      throw new ProjectionError(this.projection.name, this.projection.idsOf(identity), recorded, error);
    }
  }

  private criteria(identity: Identity) {
    return criteriaOf(this.projection.model, identity.values);
  }

  private decoded(recorded: RecordedEvent): RecordedEvent {
    return decode(recorded, (this.projection.stepsFor(recorded.type)[0] as Step).model.event.class);
  }
}
