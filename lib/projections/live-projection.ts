import { Observable } from 'rxjs';
import { decode } from '../events/decode';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { Identity } from '../metadata/identity';
import { criteriaOf } from '../metadata/registry';
import type { EventStore } from '../store/event-store';
import { follow } from '../store/follow';
import { copyState } from './copy-state';
import { type ProjectionClass, runSteps, type Step } from './projection-class';
import { ProjectionError } from './projection-errors';

/** Folds an instance from the events of its boundary whenever somebody asks, and keeps nothing. */
export class LiveProjection {
  constructor(
    readonly projection: ProjectionClass,
    private readonly store: EventStore,
  ) {}

  /** @throws {@link ProjectionError} when a handler throws. */
  async get(identity: Identity): Promise<object | undefined> {
    return (await this.fold(identity)).state;
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

  private async fold(identity: Identity, end?: Position): Promise<{ state: object | undefined; after: Position | undefined }> {
    let state: object | undefined;
    let after: Position | undefined;
    for await (const chunk of this.store.read({ criteria: this.criteria(identity) }).chunks()) {
      for (const event of chunk) {
        if (end !== undefined && this.store.compare(event.position, end) > 0) return { state, after };
        state = await this.step(identity, state, event);
        after = event.position;
      }
    }
    return { state, after };
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
