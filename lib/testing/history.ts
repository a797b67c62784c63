import { EventSourcing } from '../event-sourcing';
import { type Class, isClass, nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { makeEvent } from '../events/make-event';
import type { Position } from '../events/recorded-event';
import { streamName } from '../metadata/boundaries';
import { type ClassModel, classModel } from '../metadata/class-model';
import { givenIdentity, type Identity, identitiesOf } from '../metadata/identity';
import type { EventStore } from '../store/event-store';
import { InMemoryEventStore } from '../store/in-memory-event-store';
import { fixedClock } from './fixed-clock';
import { sequentialIds } from './sequential-ids';

/** What `scenario` takes beside the class and its ids. */
export interface ScenarioOptions {
  /** More classes to register, such as the other aggregates that share its events. */
  readonly classes?: readonly Class[];
  /** What time it is: {@link fixedClock} unless given. */
  readonly clock?: () => Date;
  /** Makes ids for events: {@link sequentialIds} unless given. */
  readonly ids?: () => string;
  /** Finds what handlers ask for by `context.resolve(token)`. */
  readonly resolve?: (token: unknown) => unknown;
}

/** The class that a scenario is about, and which instance. */
export interface Subject {
  readonly target: Class;
  readonly ids: object | undefined;
  readonly options: ScenarioOptions;
}

/** An event by its class and data. */
export type EventData = readonly [event: Class, payload: object];

/** An `EventSourcing` that holds the given events, and its store. */
export interface Stage {
  readonly es: EventSourcing;
  readonly store: EventStore;
}

/** Opens an `EventSourcing` that holds the given events, for as long as `scene` takes. */
export async function playOn(
  subject: Subject,
  past: readonly EventData[],
  scene: (stage: Stage) => Promise<void>,
): Promise<void> {
  const { target, options } = subject;
  const { clock = fixedClock(), ids = sequentialIds(), resolve } = options;
  const store = new InMemoryEventStore({ clock, ids });
  const classes = [...new Set([target, ...(options.classes ?? []), ...past.map(([event]) => event)])];
  const es = await EventSourcing.open({ store, classes, clock, ids, resolve });
  // What a projection fails at is a failure of the scenario; it need not be a warning as well.
  es.projections.errors().subscribe();
  try {
    for (const [event, payload] of past) {
      const data = instanceOf(subject, event, payload);
      await es.appendUnguarded(streamOf(es, subject, event, data), [data]);
    }
    await scene({ es, store });
  } finally {
    await es.close();
  }
}

/** @returns the events stored after a position, as instances of their classes. */
export async function eventsAfter({ es, store }: Stage, after: Position | undefined): Promise<object[]> {
  const events: object[] = [];
  for await (const recorded of store.read(after === undefined ? {} : { after })) {
    const { upcasting } = es.registry;
    const event = upcasting.asStored(recorded);
    for (const { data } of event === undefined ? upcasting.parts(recorded) : [event]) events.push(data);
  }
  return events;
}

/** @throws {@link InvalidArgumentError} when `event` is no class or `payload` no object. */
export function eventData(method: string, event: Class, payload: object = {}): EventData {
  if (!isClass(event)) throw new InvalidArgumentError(`${method} takes an event class and its data, not ${nameOf(event)}.`);
  if (typeof payload !== 'object' || payload === null)
    throw new InvalidArgumentError(`${method} takes the data of ${event.name} as an object, not ${nameOf(payload)}.`);
  return [event, payload];
}

/** @returns the event, with the ids of an aggregate filled in as its `emit` would. */
export function instanceOf({ target, ids }: Subject, event: Class, payload: object): object {
  const data = makeEvent(event, payload) as Record<string, unknown>;
  const model = classModel(target);
  const [handler, ...others] = model.handlers.filter((candidate) => candidate.event.class === event);
  if (model.aggregate === undefined || handler === undefined || others.length > 0) return data;
  const { values } = givenIdentity(model, ids);
  for (const [index, source] of handler.sources.entries())
    if (typeof source === 'string' && data[source] === undefined) data[source] = values[index];
  return data;
}

/** @returns the stream of the aggregate instance that the event belongs to: the subject's, where there are several. */
function streamOf({ registry }: EventSourcing, { target, ids }: Subject, event: Class, data: object): string {
  const { type } = registry.eventOf(event);
  const models = [registry.modelOf(target), ...registry.allModels()];
  const holder = models.find(({ aggregate, byType }) => aggregate !== undefined && byType.has(type));
  const owners = holder === undefined ? [] : ownersOf(holder, type, data);
  const own = holder?.class === target ? givenIdentity(holder, ids).key : undefined;
  const owner = owners.find(({ key }) => key === own) ?? owners[0];
  return holder === undefined || owner === undefined ? 'given' : streamName(holder, owner.values);
}

function ownersOf(model: ClassModel, type: string, data: object): Identity[] {
  return (model.byType.get(type) ?? []).flatMap((handler) => identitiesOf(model, handler, data));
}
