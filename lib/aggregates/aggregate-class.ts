import type { Criterion } from '../events/criterion';
import { nameOf } from '../events/event-class';
import type { EventContext, RecordedEvent } from '../events/recorded-event';
import { type Boundaries, criteriaOf, streamName } from '../metadata/boundaries';
import type { ClassModel, HandlerModel } from '../metadata/class-model';
import { belongsTo, type Identity, identitiesOf, isSolelyOf } from '../metadata/identity';
import type { Registry } from '../metadata/registry';
import type { ClassSnapshots } from '../snapshots/class-snapshots';
import { HandlerError, ReplayError, UnhandledEventError } from './aggregate-errors';

type Handle = (this: object, event: object, context: EventContext) => unknown;

interface BoundHandler {
  readonly model: HandlerModel;
  readonly handle: Handle;
}

let folding = 0;
let replaying = 0;

/** Says whether a handler runs right now, and whether what it handles is history. Handlers are synchronous. */
export function handlerAtWork(): 'none' | 'emit' | 'replay' {
  if (folding === 0) return 'none';
  return replaying > 0 ? 'replay' : 'emit';
}

/** Runs `work`, in which handlers see history: what they emit or command does not happen. */
export function replay(work: () => void): void {
  folding += 1;
  replaying += 1;
  try {
    work();
  } finally {
    folding -= 1;
    replaying -= 1;
  }
}

/** How one aggregate class folds events into an instance. */
export class AggregateClass {
  readonly isOpen: boolean;
  private readonly handlers = new Map<string, readonly BoundHandler[]>();
  /** The names under which the events are stored that it handles. */
  private readonly names: ReadonlySet<string>;

  constructor(
    readonly model: ClassModel,
    private readonly registry: Pick<Registry, 'eventByType' | 'upcasting'> & { readonly boundaries: Pick<Boundaries, 'isOpen'> },
    readonly snapshots?: ClassSnapshots | undefined,
  ) {
    this.isOpen = registry.boundaries.isOpen(model);
    for (const [type, handlers] of model.byType) {
      this.handlers.set(
        type,
        handlers.map((handler) => ({ model: handler, handle: this.methodOf(handler) })),
      );
    }
    this.names = new Set([...model.byType.keys()].flatMap((type) => registry.upcasting.namesOf(type)));
  }

  streamOf(identity: Identity): string {
    return streamName(this.model, identity.values);
  }

  criteriaOf(identity: Identity): Criterion[] {
    return criteriaOf(this.model, identity.values, this.registry.upcasting);
  }

  idsOf(identity: Identity): Record<string, unknown> {
    return Object.fromEntries(this.model.ids.map((id, index) => [id, identity.values[index]]));
  }

  /**
   * Folds one recorded event, as part of a {@link replay}.
   *
   * @returns false for one that the boundary matches although it belongs to others, as tags of several ids may.
   * @throws {@link ReplayError} when the event is of another instance.
   * @throws {@link HandlerError} when a handler throws.
   * @throws what says why the event cannot be read.
   */
  fold(instance: object, identity: Identity, recorded: RecordedEvent): boolean {
    if (!this.names.has(recorded.type)) {
      this.checkUnhandled(recorded);
      return true;
    }
    const { upcasting } = this.registry;
    const event = upcasting.asStored(recorded);
    if (event !== undefined) return this.foldOne(instance, identity, event, recorded);
    let isOwn = false;
    for (const part of upcasting.parts(recorded)) isOwn = this.foldOne(instance, identity, part, recorded) || isOwn;
    return isOwn;
  }

  private foldOne(instance: object, identity: Identity, event: RecordedEvent, recorded: RecordedEvent): boolean {
    const handlers = this.handlers.get(event.type);
    if (handlers === undefined) {
      this.checkIgnored(event);
      return true;
    }
    const first = handlers[0] as BoundHandler;
    const { data } = event;
    if (handlers.length === 1 && isSolelyOf(first.model, data, identity.key)) {
      this.call(first.model, first.handle, instance, data, event);
      return true;
    }
    if (this.run(handlers, instance, identity, data, event)) return true;
    if (this.isInBoundary(identity, recorded)) return false;
    throw new ReplayError(recorded.stream, this.streamOf(identity), this.ownerText(handlers, data));
  }

  /** Folds an event that is being emitted. @returns whether it belongs to the instance at all. */
  apply(instance: object, identity: Identity, data: object, context: EventContext): boolean {
    const handlers = this.handlers.get(context.type);
    if (handlers === undefined) return false;
    folding += 1;
    try {
      return this.run(handlers, instance, identity, data, context);
    } finally {
      folding -= 1;
    }
  }

  /** Says whether the event is one of the instance's. */
  owns(identity: Identity, type: string, data: object): boolean {
    return this.handlers.get(type)?.some(({ model }) => belongsTo(this.model, model, data, identity.key)) ?? false;
  }

  private run(
    handlers: readonly BoundHandler[],
    instance: object,
    identity: Identity,
    data: object,
    context: EventContext,
  ): boolean {
    let isOwn = false;
    for (const { model, handle } of handlers) {
      if (!belongsTo(this.model, model, data, identity.key)) continue;
      isOwn = true;
      this.call(model, handle, instance, data, context);
    }
    return isOwn;
  }

  private call(model: HandlerModel, handle: Handle, instance: object, data: object, context: EventContext): void {
    let result: unknown;
    try {
      result = handle.call(instance, data, context);
    } catch (error) {
      throw new HandlerError(
        this.memberName(model),
        eventText(context),
        `threw ${error instanceof Error ? String(error) : nameOf(error)}`,
        { cause: error },
      );
    }
    if (result === undefined || typeof (result as PromiseLike<unknown> | null)?.then !== 'function') return;
    Promise.resolve(result).catch(() => undefined);
    throw new HandlerError(
      this.memberName(model),
      eventText(context),
      'returned a promise, but the handlers of an aggregate are synchronous',
    );
  }

  private isInBoundary(identity: Identity, { type, tags }: RecordedEvent): boolean {
    if (!this.isOpen) return false;
    return this.criteriaOf(identity).some(
      (criterion) => criterion.types?.includes(type) && criterion.tags?.every((tag) => tags.includes(tag)),
    );
  }

  private checkUnhandled(recorded: RecordedEvent): void {
    const { registry } = this;
    if (registry.eventByType(recorded.type) !== undefined) this.checkIgnored(recorded);
    else for (const part of registry.upcasting.parts(recorded)) this.checkIgnored(part);
  }

  private checkIgnored({ type, position }: RecordedEvent): void {
    const { strict = false, ignores = [] } = this.model.aggregate ?? {};
    if (!strict) return;
    const known = this.registry.eventByType(type);
    if (known === undefined || !ignores.includes(known.class)) throw new UnhandledEventError(this.model.name, type, position);
  }

  private ownerText(handlers: readonly BoundHandler[], data: object): string {
    const owners = handlers.flatMap(({ model }) => identitiesOf(this.model, model, data));
    return owners.map((owner) => this.streamOf(owner)).join(', ') || 'an event of no instance';
  }

  private methodOf({ method }: HandlerModel): Handle {
    return (this.model.class.prototype as Record<string | symbol, Handle>)[method] as Handle;
  }

  private memberName({ method }: HandlerModel): string {
    return `${this.model.class.name}.${String(method)}`;
  }
}

function eventText({ type, id, version }: EventContext): string {
  return `${type} ${id} (version ${version})`;
}
