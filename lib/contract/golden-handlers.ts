import { replay } from '../aggregates/aggregate-class';
import type { RecordedEvent } from '../events/recorded-event';
import type { ClassModel, HandlerModel } from '../metadata/class-model';
import { type Identity, identitiesOf } from '../metadata/identity';
import type { Registry } from '../metadata/registry';

/** A handler that an example cannot be given to. */
export interface FailedHandling {
  /** Such as `AccountBalance.deposited`. */
  readonly place: string;
  readonly error: unknown;
}

/**
 * Gives an event to every handler of it, on a new instance each. Handlers of custom projections are passed over: they need a
 * database.
 */
export async function handleEverywhere(registry: Registry, event: RecordedEvent): Promise<FailedHandling[]> {
  const failed: FailedHandling[] = [];
  for (const model of registry.allModels()) {
    if (model.projection?.isCustom) continue;
    for (const handler of model.byType.get(event.type) ?? []) {
      try {
        for (const identity of identitiesOf(model, handler, event.data)) await handle({ model, handler, identity }, event);
      } catch (error) {
        failed.push({ place: `${model.class.name}.${String(handler.method)}`, error });
      }
    }
  }
  return failed;
}

async function handle(
  { model, handler, identity }: { readonly model: ClassModel; readonly handler: HandlerModel; readonly identity: Identity },
  event: RecordedEvent,
): Promise<void> {
  const ids = Object.fromEntries(model.ids.map((id, index) => [id, identity.values[index]]));
  const instance = Object.assign(Reflect.construct(model.class, []) as object, ids) as Record<string | symbol, unknown>;
  const method = instance[handler.method] as (event: object, context: object) => unknown;
  const { data, ...context } = event;
  const given = { ...context, manager: undefined, delete: () => undefined, ignore: () => undefined };
  let result: unknown;
  const run = () => {
    result = method.call(instance, data, given);
  };
  if (model.aggregate === undefined) run();
  else replay(run);
  await result;
}
