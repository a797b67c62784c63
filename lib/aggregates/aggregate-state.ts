import { type Class, isClass, nameOf } from '../events/event-class';
import { frozenCopy, guardedCopy } from '../events/frozen-copy';
import { makeEvent } from '../events/make-event';
import type { EventContext, Position } from '../events/recorded-event';
import { Upcasting } from '../events/upcasting';
import { validateEvent } from '../events/validate-event';
import { classModel, type HandlerModel } from '../metadata/class-model';
import { givenIdentity, type Identity, identitiesOf, isSolelyOf } from '../metadata/identity';
import { OptimisticLockError } from '../store/store-errors';
import { AggregateClass, handlerAtWork } from './aggregate-class';
import { ForeignEventError, idText, MisplacedEmitError, UnhandledEmitError } from './aggregate-errors';
import type { UnitOfWork } from './unit-of-work';
import type { UserTransaction } from './user-transaction';

/** An event that was emitted and is not stored. */
export interface PendingEvent {
  readonly data: object;
  readonly context: EventContext;
}

/** What a snapshot tells of the last event that its state is folded from. */
export interface LastEvent {
  readonly eventId: string;
  /** A position before it, from which it is found again. */
  readonly previous: Position | undefined;
}

/** What commands must find an instance to be, until one of them is stored. */
export interface Expectation {
  readonly version: number;
  readonly folded: number;
  /** Makes what is thrown when it is not so; an {@link OptimisticLockError} is, unless given. */
  readonly otherwise: (() => Error) | undefined;
}

/** The handlers of one event: one or more. */
type Handlers = readonly [HandlerModel, ...HandlerModel[]];

const unknownPosition: PropertyDescriptor = {
  enumerable: true,
  get(this: EventContext): Position {
    throw new MisplacedEmitError(
      `${this.type}.position`,
      'was read while the event is being emitted',
      'An event has its place once it is stored',
    );
  },
};

/** What the framework knows of one aggregate instance, beside the instance's own state. */
export class AggregateState {
  /** Set for an instance that was loaded or created through `EventSourcing`. */
  identity: Identity | undefined;
  definition: AggregateClass | undefined;
  /** The version of its own stream. */
  version = 0;
  /** How many events it was folded from. */
  folded = 0;
  /** The position of the last event it was folded from. */
  position: Position | undefined;
  /** How many events the newest snapshot is made of, as far as is known here; 0 for none. */
  snapshotAt = 0;
  /** The last event it was folded from, where its class asks for snapshots. */
  last: LastEvent | undefined;
  /** Its state may be wrong, and is folded anew before it is used again. */
  isStale = false;
  /** The transaction in which it was folded, while that is open: outside of it the state may be wrong. */
  heldIn: UserTransaction | undefined;
  /** When it was folded last, as its store tells moments apart. */
  moment: object | undefined;
  /** Its first command must find no events. */
  mustBeNew = false;
  /** Its commands must find it so. */
  expectation: Expectation | undefined;
  unit: UnitOfWork | undefined;
  private streamName: string | undefined;
  private readonly collected: PendingEvent[] = [];

  constructor(readonly root: object) {}

  get stream(): string {
    this.streamName ??= this.bound().definition.streamOf(this.bound().identity);
    return this.streamName;
  }

  /** @throws what is to be thrown when the instance is not as it is expected to be. */
  checkExpectation(): void {
    const { expectation, version, folded, stream } = this;
    if (expectation === undefined || (expectation.version === version && expectation.folded === folded)) return;
    if (expectation.otherwise !== undefined) throw expectation.otherwise();
    const { definition, identity } = this.bound();
    const instance = { type: definition.model.name, ids: definition.idsOf(identity) };
    throw new OptimisticLockError(stream, `${expectation.folded} event(s)`, `${folded} event(s)`, instance);
  }

  uncommitted(): readonly object[] {
    const pending = this.unit === undefined ? this.collected : this.unit.emittedBy(this);
    return pending.map(({ data, context }) => guardedCopy(data, context.type));
  }

  emit(event: Class, payload: object): void {
    const work = handlerAtWork();
    if (work === 'replay') return;
    const member = `${this.root.constructor.name}.emit`;
    if (work === 'emit')
      throw new MisplacedEmitError(member, 'was called in a handler', 'Handlers change state; emit in a command');
    if (this.definition === undefined) this.collect(event, payload);
    else if (this.unit === undefined)
      throw new MisplacedEmitError(member, 'was called outside a command', 'Put @Command() on the method that emits');
    else this.emitIn(this.unit, event, payload);
  }

  private emitIn(unit: UnitOfWork, event: Class, payload: object): void {
    try {
      const handlers = this.handlersOf(event);
      unit.emit(this, handlers[0].event, this.prepare(handlers, payload));
    } catch (error) {
      unit.refuse(error);
      throw error;
    }
  }

  /** The data of an event to emit: filled in, valid, this instance's own, and frozen. */
  private prepare(handlers: Handlers, payload: object): object {
    const [{ event }] = handlers;
    const instance = makeEvent(event.class, payload);
    if (handlers.length === 1) fillIn(instance as Record<string, unknown>, handlers[0], this.bound().identity);
    validateEvent(event, instance);
    const data = frozenCopy(instance, event.type);
    this.checkOwnership(handlers, data);
    return data;
  }

  /** @throws {@link UnhandledEmitError} when the class does not handle the event. */
  private handlersOf(event: Class): Handlers {
    const { model } = this.bound().definition;
    const handlers = isClass(event) ? model.byClass.get(event) : undefined;
    if (handlers === undefined) throw new UnhandledEmitError(model.class.name, nameOf(event));
    return handlers as unknown as Handlers;
  }

  private checkOwnership(handlers: Handlers, data: object): void {
    const { definition, identity } = this.bound();
    if (handlers.length === 1 && isSolelyOf(handlers[0], data, identity.key)) return;
    const owners = handlers.flatMap((handler) => identitiesOf(definition.model, handler, data));
    const isOwn = owners.some(({ key }) => key === identity.key);
    if (isOwn && (definition.isOpen || owners.length === 1)) return;
    const { type } = handlers[0].event;
    const self = `${definition.model.name} ${idText(definition.idsOf(identity))}`;
    const others = owners.filter(({ key }) => key !== identity.key).map((owner) => idText(definition.idsOf(owner)));
    const remedy = definition.isOpen
      ? 'Emit it from an instance that it names'
      : "An event of several instances needs @Aggregate({ guard: 'boundary' })";
    throw new ForeignEventError(`${self} emits ${type} that belongs to ${others.join(', ') || 'no instance'}. ${remedy}.`);
  }

  private collect(event: Class, payload: object): void {
    const model = classModel(this.root.constructor as Class);
    const given = Object.fromEntries(model.ids.map((id) => [id, (this.root as Record<string, unknown>)[id]]));
    const upcasting = Upcasting.of(model.handlers.map((handler) => handler.event));
    const boundaries = { isOpen: () => true };
    const definition = new AggregateClass(model, { boundaries, eventByType: () => undefined, upcasting });
    const identity = givenIdentity(model, given);
    const state = Object.assign(new AggregateState(this.root), { definition, identity });
    const handlers = state.handlersOf(event);
    const data = state.prepare(handlers, payload);
    const context = unboundContext(handlers[0], state.stream, this.collected.length + 1);
    this.collected.push({ data, context });
    definition.apply(this.root, identity, guardedCopy(data, context.type), context);
  }

  private bound(): { definition: AggregateClass; identity: Identity } {
    return this as { definition: AggregateClass; identity: Identity };
  }
}

function fillIn(data: Record<string, unknown>, { sources }: HandlerModel, identity: Identity): void {
  for (const [index, source] of sources.entries()) {
    if (typeof source === 'string' && data[source] === undefined) data[source] = identity.values[index];
  }
}

function unboundContext({ event: { type, schemaVersion } }: HandlerModel, stream: string, version: number): EventContext {
  const known = {
    id: `uncommitted-${version}`,
    type,
    schemaVersion,
    stream,
    version,
    metadata: {},
    time: new Date().toISOString(),
    tags: [],
  };
  return pendingContext(known);
}

/** The context of an event that is not stored yet. It has no position, and says so when asked. */
export function pendingContext(known: Omit<EventContext, 'position'>): EventContext {
  return Object.defineProperty(known, 'position', unknownPosition) as EventContext;
}
