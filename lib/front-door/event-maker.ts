import { ForeignEventError } from '../aggregates/aggregate-errors';
import { noScope, type Scopes } from '../aggregates/scope';
import { nameOf } from '../events/event-class';
import { frozenCopy } from '../events/frozen-copy';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import type { EventMetadata } from '../events/recorded-event';
import { validateEvent } from '../events/validate-event';
import { streamName } from '../metadata/boundaries';
import { identitiesOf } from '../metadata/identity';
import type { Registry } from '../metadata/registry';
import type { NewEvent } from '../store/append';

/** What events are made with. */
export interface EventMakerOptions {
  readonly registry: () => Registry;
  readonly scopes: Scopes;
  readonly newId: () => string;
  readonly now: () => Date;
}

/** Makes what is stored of the events that are appended without an aggregate. */
export class EventMaker {
  constructor(private readonly options: EventMakerOptions) {}

  /** @throws {@link InvalidArgumentError}, {@link ForeignEventError} and what the rules of the events' classes throw. */
  make(stream: string, events: readonly object[]): NewEvent[] {
    if (typeof stream !== 'string' || stream === '')
      throw new InvalidArgumentError(`The stream to append to is text of one character or more, not ${nameOf(stream)}.`);
    if (!Array.isArray(events)) throw new InvalidArgumentError(`The events to append are an array, not ${nameOf(events)}.`);
    const metadata = this.ambientMetadata();
    return (events as readonly object[]).map((event) => this.newEvent(stream, event, metadata));
  }

  private newEvent(stream: string, event: object, metadata: EventMetadata): NewEvent {
    if (typeof event !== 'object' || event === null)
      throw new InvalidArgumentError(`${nameOf(event)} is no event. Make one with createEvent(SomeEvent, {…}).`);
    const model = this.options.registry().eventOf(event.constructor);
    const { type, schemaVersion } = model;
    validateEvent(model, event);
    const data = frozenCopy(event, type);
    this.checkOwner(stream, type, data);
    return {
      id: this.options.newId(),
      type,
      schemaVersion,
      data,
      metadata,
      time: this.options.now(),
      tags: this.options.registry().boundaries.tagsOf(type, data),
    };
  }

  /** An event of a closed aggregate lies in the stream of its instance, or its version would guard nothing. */
  private checkOwner(stream: string, type: string, data: object): void {
    const owner = this.options.registry().boundaries.ownerOf(type);
    if (owner === undefined) return;
    const owners = identitiesOf(owner.model, owner.handler, data);
    const streams = owners.map(({ values }) => streamName(owner.model, values));
    if (streams.length === 1 && streams[0] === stream) return;
    throw new ForeignEventError(
      `${type} belongs into ${streams.map((name) => `"${name}"`).join(', ') || 'no stream'} of ${owner.model.name}, not into "${stream}". See es.streamOf.`,
    );
  }

  private ambientMetadata(): EventMetadata {
    const { metadata } = this.options.scopes.getStore() ?? noScope;
    const id = this.options.newId();
    return { ...metadata, correlationId: metadata.correlationId ?? id, causationId: metadata.causationId ?? id };
  }
}
