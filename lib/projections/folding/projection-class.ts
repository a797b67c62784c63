import type { EventContext, RecordedEvent } from '../../events/recorded-event';
import { Upcasting } from '../../events/upcasting';
import type { ClassModel, HandlerModel } from '../../metadata/class-model';
import { belongsTo, type Identity, identitiesOf, identityOf } from '../../metadata/identity';
import type { ProjectionRecord } from '../../metadata/slots';
import type { Services } from '../services';

type Handle = (this: object, event: object, context: EventContext) => unknown;

/** A handler, bound to its method. */
export interface Step {
  readonly model: HandlerModel;
  readonly handle: Handle;
}

/** What an event means to one instance. */
export interface Application {
  /** As an instance of its class. */
  readonly event: RecordedEvent;
  readonly steps: readonly Step[];
}

/** Which instance a stored event goes to, and through which handlers. */
export interface Target extends Application {
  readonly identity: Identity;
  /** What else was stored in it for that instance, in order. */
  readonly more?: readonly Application[];
}

/** How one projection class routes and folds events. */
export class ProjectionClass {
  readonly options: ProjectionRecord;
  /** By what an event's instance is known: its ids, or for a reactor without ids the stream. */
  readonly ids: readonly string[];
  private readonly steps = new Map<string, readonly Step[]>();
  /** By event type: the property that alone is the id, for a type with one handler and one such id. */
  private readonly soleProperties = new Map<string, string>();
  /** The names under which the events are stored that concern it. */
  private readonly names: ReadonlySet<string>;
  private readonly isByStream: boolean;
  private instance: object | undefined;
  /** Makes what its instances are made on, where `new` does not make them. */
  private readonly make: (() => object) | undefined;

  /**
   * @param upcasting What stored events are read as; as they are stored unless given.
   * @param services What its handlers, and its instances, are given.
   */
  constructor(
    readonly model: ClassModel,
    readonly upcasting = Upcasting.of(model.handlers.map(({ event }) => event)),
    readonly services: Services = {},
  ) {
    this.options = model.projection as ProjectionRecord;
    this.isByStream = this.options.reactor !== undefined && model.ids.length === 0;
    this.ids = this.isByStream ? ['stream'] : model.ids;
    this.make = this.options.isCustom ? services.instances?.(model.class) : undefined;
    for (const [type, handlers] of model.byType) {
      this.steps.set(
        type,
        handlers.map((handler) => ({ model: handler, handle: this.methodOf(handler) })),
      );
      const [handler, ...others] = handlers;
      const [source] = handler?.sources ?? [];
      if (others.length === 0 && handler?.sources.length === 1 && typeof source === 'string')
        this.soleProperties.set(type, source);
    }
    this.names = new Set([...this.steps.keys()].flatMap((type) => upcasting.namesOf(type)));
  }

  get name(): string {
    return this.model.name;
  }

  /** The names under which the events are stored that concern it. */
  get types(): string[] {
    return [...this.names];
  }

  /**
   * Finds the instances that a stored event belongs to: none for one that does not concern it.
   *
   * @throws {@link UnresolvedIdError} when it does not say, or an error that says why it cannot be read.
   */
  targetsOf(recorded: RecordedEvent): readonly Target[] {
    if (!this.names.has(recorded.type)) return [];
    const event = this.upcasting.asStored(recorded);
    if (event !== undefined) return this.targetsOfOne(event);
    const parts = this.upcasting.parts(recorded);
    if (parts.length === 1) return this.targetsOfOne(parts[0] as RecordedEvent);
    const targets = parts.flatMap((part) => this.targetsOfOne(part));
    return targets.length < 2 ? targets : joined(targets);
  }

  /** @returns the instances that a stored event belongs to; none where it does not say, or cannot be read. */
  identitiesOf(recorded: RecordedEvent): readonly Identity[] {
    try {
      return this.targetsOf(recorded).map(({ identity }) => identity);
    } catch {
      return [];
    }
  }

  /** @returns what a stored event means to this one instance, in order. */
  applicationsOf(identity: Identity, recorded: RecordedEvent): readonly Application[] {
    const event = this.upcasting.asStored(recorded);
    const events = event === undefined ? this.upcasting.parts(recorded) : [event];
    return events.flatMap((part) => {
      const steps = this.stepsFor(part.type).filter(({ model }) => belongsTo(this.model, model, part.data, identity.key));
      return steps.length === 0 ? [] : [{ event: part, steps }];
    });
  }

  private stepsFor(type: string): readonly Step[] {
    return this.steps.get(type) ?? [];
  }

  private targetsOfOne(event: RecordedEvent): readonly Target[] {
    const steps = this.steps.get(event.type);
    if (steps === undefined) return [];
    const stream = this.streamOf(event);
    if (stream !== undefined) return [{ identity: stream, event, steps }];
    const property = this.soleProperties.get(event.type);
    if (property !== undefined) {
      const value = (event.data as Record<string, unknown>)[property];
      // The usual case, in which there is nothing to look for.
      if (typeof value === 'string' && value !== '') return [{ identity: identityOf([value]), event, steps }];
    }
    const targets = new Map<string, { identity: Identity; event: RecordedEvent; steps: Step[] }>();
    for (const step of steps) {
      for (const identity of identitiesOf(this.model, step.model, event.data)) {
        const target = targets.get(identity.key) ?? { identity, event, steps: [] };
        target.steps.push(step);
        targets.set(identity.key, target);
      }
    }
    return [...targets.values()];
  }

  /** @returns what a reactor without ids knows an event's place by; undefined for others. */
  streamOf({ stream }: Pick<RecordedEvent, 'stream'>): Identity | undefined {
    return this.isByStream ? identityOf([stream]) : undefined;
  }

  idsOf(identity: Pick<Identity, 'values'>): Record<string, unknown> {
    return Object.fromEntries(this.ids.map((id, index) => [id, identity.values[index]]));
  }

  /** @returns a new instance with its ids set. */
  create(identity: Pick<Identity, 'values'>): object {
    // What was made may be shared by all instances, each of which has its ids.
    const instance = this.make === undefined ? Reflect.construct(this.model.class, []) : Object.create(this.make());
    return Object.assign(instance as object, this.idsOf(identity));
  }

  /** @returns the reactor: the same for all events, which are handed to it one by one, with the ids of the one whose turn it is. */
  reactor(identity: Pick<Identity, 'values'>): object {
    const instance = this.make?.() ?? this.instance ?? (Reflect.construct(this.model.class, []) as object);
    this.instance = instance;
    return this.isByStream ? instance : Object.assign(instance, this.idsOf(identity));
  }

  private methodOf({ method }: HandlerModel): Handle {
    return (this.model.class.prototype as Record<string | symbol, Handle>)[method] as Handle;
  }
}

/** @returns one target for each instance. */
function joined(targets: readonly Target[]): readonly Target[] {
  const byKey = new Map<string, Target[]>();
  for (const target of targets) byKey.set(target.identity.key, [...(byKey.get(target.identity.key) ?? []), target]);
  return [...byKey.values()].map(([first, ...more]) => ({ ...(first as Target), more }));
}

/** Runs the steps on a state, in order. @returns a promise only when a handler returned one. */
export function runSteps(
  steps: readonly Step[],
  state: object,
  data: object,
  context: EventContext,
): PromiseLike<void> | undefined {
  for (let index = 0; index < steps.length; index += 1) {
    const result = (steps[index] as Step).handle.call(state, data, context);
    if (result !== undefined && isThenable(result)) return finishSteps(result, steps.slice(index + 1), state, data, context);
  }
  return undefined;
}

async function finishSteps(
  first: PromiseLike<unknown>,
  rest: readonly Step[],
  state: object,
  data: object,
  context: EventContext,
): Promise<void> {
  await first;
  for (const { handle } of rest) await handle.call(state, data, context);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}
