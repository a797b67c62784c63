import { map, Observable } from 'rxjs';
import type { Position, RecordedEvent } from '../../events/recorded-event';
import { criteriaOf } from '../../metadata/boundaries';
import type { Identity } from '../../metadata/identity';
import { type ClassSnapshots, type Recalled, snapshotsOf } from '../../snapshots/class-snapshots';
import { resume } from '../../snapshots/resume';
import type { SnapshotMiss } from '../../snapshots/snapshot-stats';
import type { Snapshots } from '../../snapshots/snapshots';
import { copyState } from '../../store/copy-state';
import type { EventStore } from '../../store/event-store';
import { follow } from '../../store/follow';
import { type Application, type ProjectionClass, runSteps } from '../folding/projection-class';
import { HandlerContext } from '../folding/projection-context';
import { ProjectionError } from '../projection-errors';
import type { InstanceUpdate, Update } from './update';

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
    const { model, upcasting } = projection;
    const construct = (identity: Identity) => projection.create(identity);
    this.snapshots = snapshotsOf(snapshots, { model, upcasting, guard: 'boundary', construct });
  }

  /** @throws {@link ProjectionError} when a handler throws. */
  async get(identity: Identity): Promise<object | undefined> {
    const folded = await this.fold(identity);
    if (this.snapshots !== undefined) this.keep(identity, folded, this.snapshots);
    return folded.state;
  }

  /** @returns the instance now, then after every change, until the store closes. A handler that throws ends it. */
  watch(identity: Identity): Observable<object | undefined> {
    return this.updatesOf(identity).pipe(map(({ state }) => state));
  }

  /** @returns what {@link watch} does, with positions. */
  updatesOf(identity: Identity): Observable<InstanceUpdate<object>> {
    const ids = this.projection.idsOf(identity);
    return new Observable((subscriber) => {
      const stop = new AbortController();
      const run = async () => {
        let { state, after } = await this.fold(identity);
        const tell = () => subscriber.next({ kind: 'instance', ids, state: state && copyState(state), position: after });
        tell();
        for await (const chunk of follow(
          this.store,
          { criteria: this.criteria(identity), ...(after && { after }) },
          stop.signal,
        )) {
          for (const event of chunk) {
            state = await this.step(identity, state, event);
            after = event.position;
            tell();
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

  /** @returns each instance that changes after a position, or from now on, folded anew from its boundary. */
  updates(given: Position | undefined, maxEvents: number): Observable<Update<object>> {
    return new Observable((subscriber) => {
      const stop = new AbortController();
      const run = async () => {
        const head = await this.store.head();
        const hasMissed = given !== undefined && (await this.isBehind(given, maxEvents));
        let position = hasMissed ? head : (given ?? head);
        subscriber.next({ kind: 'start', position, hasMissed });
        const query = { criteria: [{ types: this.projection.types }], ...(position !== undefined && { after: position }) };
        for await (const chunk of follow(this.store, query, stop.signal)) {
          for (const event of chunk) {
            const targets = this.projection.targetsOf(event);
            for (const [index, { identity }] of targets.entries()) {
              const { state } = await this.fold(identity, event.position);
              if (index === targets.length - 1) position = event.position;
              subscriber.next({ kind: 'instance', ids: this.projection.idsOf(identity), state, position });
            }
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

  private async isBehind(after: Position, maxEvents: number): Promise<boolean> {
    let events = 0;
    const query = { criteria: [{ types: this.projection.types }], after, limit: maxEvents + 1 };
    for await (const _event of this.store.read(query)) events += 1;
    return events > maxEvents;
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
    const states = this.projection
      .targetsOf(recorded)
      .map(async ({ identity }) => (await this.fold(identity, recorded.position)).state);
    return (await Promise.all(states)).filter((state) => state !== undefined);
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
      let current = state;
      for (const application of this.projection.applicationsOf(identity, recorded))
        current = await this.apply(identity, current, application);
      return current;
    } catch (error) {
      throw new ProjectionError(this.projection.name, this.projection.idsOf(identity), recorded, error);
    }
  }

  private async apply(identity: Identity, state: object | undefined, { event, steps }: Application): Promise<object | undefined> {
    const next = state ?? this.projection.create(identity);
    const context = new HandlerContext(event, noManager, this.projection.services);
    const pending = runSteps(steps, next, event.data, context);
    if (pending !== undefined) await pending;
    if (context.isDeleted || (context.isIgnored && state === undefined)) return undefined;
    return next;
  }

  private criteria(identity: Identity) {
    return criteriaOf(this.projection.model, identity.values, this.projection.upcasting);
  }
}

/** What is folded when asked for is kept nowhere, in no transaction. */
const noManager = { manager: undefined };
