import type { EventContext, RecordedEvent } from '../events/recorded-event';
import type { ClassModel, HandlerModel } from '../metadata/class-model';
import { belongsTo, type Identity, identitiesOf, identityOf } from '../metadata/identity';
import type { ProjectionRecord } from '../metadata/slots';

type Handle = (this: object, event: object, context: EventContext) => unknown;

/** A handler, bound to its method. */
export interface Step {
  readonly model: HandlerModel;
  readonly handle: Handle;
}

/** Which instance an event goes to, and through which handlers. */
export interface Target {
  readonly identity: Identity;
  readonly steps: readonly Step[];
}

/** How one projection class routes and folds events. */
export class ProjectionClass {
  readonly options: ProjectionRecord;
  private readonly steps = new Map<string, readonly Step[]>();

  constructor(readonly model: ClassModel) {
    this.options = model.projection as ProjectionRecord;
    for (const [type, handlers] of model.byType) {
      this.steps.set(
        type,
        handlers.map((handler) => ({ model: handler, handle: this.methodOf(handler) })),
      );
    }
  }

  get name(): string {
    return this.model.name;
  }

  get types(): string[] {
    return [...this.steps.keys()];
  }

  stepsFor(type: string): readonly Step[] {
    return this.steps.get(type) ?? [];
  }

  /** @returns the name of the event property that alone is the id, for a type with one handler and one such id. */
  soleProperty(type: string): string | undefined {
    const [step, ...others] = this.stepsFor(type);
    const [source] = step?.model.sources ?? [];
    return others.length === 0 && step?.model.sources.length === 1 && typeof source === 'string' ? source : undefined;
  }

  /** @throws {@link UnresolvedIdError} when the event does not say which instances it belongs to. */
  targetsOf(event: RecordedEvent): Target[] {
    const targets = new Map<string, { identity: Identity; steps: Step[] }>();
    for (const step of this.stepsFor(event.type)) {
      for (const identity of identitiesOf(this.model, step.model, event.data)) {
        const target = targets.get(identity.key) ?? { identity, steps: [] };
        target.steps.push(step);
        targets.set(identity.key, target);
      }
    }
    return [...targets.values()];
  }

  /** @returns the handlers through which the event goes to this one instance. */
  stepsOf(identity: Identity, event: RecordedEvent): readonly Step[] {
    return this.stepsFor(event.type).filter(({ model }) => belongsTo(this.model, model, event.data, identity.key));
  }

  identityOf(value: string): Identity {
    return identityOf([value]);
  }

  idsOf(identity: Identity): Record<string, unknown> {
    return Object.fromEntries(this.model.ids.map((id, index) => [id, identity.values[index]]));
  }

  /** @returns a new instance with its ids set. */
  create(identity: Identity): object {
    return Object.assign(Reflect.construct(this.model.class, []) as object, this.idsOf(identity));
  }

  private methodOf({ method }: HandlerModel): Handle {
    return (this.model.class.prototype as Record<string | symbol, Handle>)[method] as Handle;
  }
}

/** Runs the steps on a state, in order. @returns a promise only when a handler returned one. */
export function runSteps(steps: readonly Step[], state: object, event: RecordedEvent): PromiseLike<void> | undefined {
  for (let index = 0; index < steps.length; index += 1) {
    const result = (steps[index] as Step).handle.call(state, event.data, event);
    if (result !== undefined && isThenable(result)) return finishSteps(result, steps.slice(index + 1), state, event);
  }
  return undefined;
}

async function finishSteps(
  first: PromiseLike<unknown>,
  rest: readonly Step[],
  state: object,
  event: RecordedEvent,
): Promise<void> {
  await first;
  for (const { handle } of rest) await handle.call(state, event.data, event);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}
