import { noScope, type Scopes } from '../aggregates/scope';
import { nameOf } from '../events/event-class';
import { frozenCopy } from '../events/frozen-copy';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import type { EventMetadata, RecordedEvent } from '../events/recorded-event';
import { type Appended, AppendTracker } from '../store/append-tracker';
import type { EventStore } from '../store/event-store';
import { checkFunction } from './check-function';

/** What code of users is run in: metadata that its events carry, and who hears of its appends. */
export class Surroundings {
  constructor(
    private readonly scopes: Scopes,
    private readonly store: EventStore,
  ) {}

  /** Runs `work`; every event emitted or appended in it carries `metadata`, beside what an outer call gave. */
  withMetadata<T>(metadata: EventMetadata, work: () => T): T {
    checkFunction('es.withMetadata', work);
    checkMetadata(metadata);
    const scope = this.scopes.getStore() ?? noScope;
    return this.scopes.run({ ...scope, metadata: { ...scope.metadata, ...frozenCopy(metadata, 'metadata') } }, work);
  }

  /** Runs `work`, and tells it what was appended in it. */
  trackAppends<T>(work: (appended: Appended) => T): T {
    checkFunction('es.trackAppends', work);
    const scope = this.scopes.getStore() ?? noScope;
    const tracker = new AppendTracker(this.store, scope.tracker);
    return this.scopes.run({ ...scope, tracker }, () => work(tracker));
  }

  /** Runs `work` as a consequence of `event`. */
  causedBy<T>(event: RecordedEvent, work: () => T): T {
    checkFunction('es.causedBy', work);
    if (typeof event?.id !== 'string' || typeof event.metadata !== 'object' || event.metadata === null)
      throw new InvalidArgumentError(`es.causedBy takes a recorded event, not ${nameOf(event)}.`);
    return this.withMetadata(causeOf(event), work);
  }

  /** Runs a subscriber, which is no part of the command or transaction in which it subscribed. */
  reactTo(event: RecordedEvent, react: () => void): void {
    const { metadata } = this.scopes.getStore() ?? noScope;
    this.scopes.run({ metadata: { ...metadata, ...causeOf(event) } }, react);
  }

  /** Runs a handler of a reactor, which nothing surrounds but its event. */
  reactionTo<T>(event: RecordedEvent, work: () => T): T {
    return this.scopes.run({ metadata: causeOf(event), isReaction: true }, work);
  }
}

/** @returns the metadata of what is stored as a consequence of an event. */
function causeOf({ id, metadata }: RecordedEvent): EventMetadata {
  return { correlationId: metadata.correlationId ?? id, causationId: id };
}

/** @throws {@link InvalidArgumentError} for what cannot be the metadata of events. */
function checkMetadata(metadata: EventMetadata): void {
  const prototype: unknown = typeof metadata === 'object' && metadata !== null ? Object.getPrototypeOf(metadata) : undefined;
  if (prototype !== null && prototype !== Object.prototype)
    throw new InvalidArgumentError(`es.withMetadata takes a plain object, not ${nameOf(metadata)}.`);
  for (const key of ['correlationId', 'causationId'] as const) {
    if (metadata[key] !== undefined && typeof metadata[key] !== 'string')
      throw new InvalidArgumentError(`es.withMetadata takes text for ${key}, not ${nameOf(metadata[key])}.`);
  }
}
