import { aggregateMistakes } from '../aggregates/aggregate-checks';
import { guarded, warningsOfInvalid } from '../events/invalid-event-warnings';
import type { ClassModel } from '../metadata/class-model';
import { Registry } from '../metadata/registry';
import { projectionMistakes } from '../projections/projection-checks';
import type { Services } from '../projections/services';
import type { reading } from './check-opening';
import type { EventSourcingOptions } from './event-sourcing-options';

/** What a registry is made of. */
type RegistrySources = Pick<EventSourcingOptions, (typeof reading)[number] | 'validateStored'>;

/** @param services Undefined where nothing is run. @throws {@link StartUpError} with every mistake in the annotations. */
export function openedRegistry(
  { classes, store, upcasters = [], passOver = [], validateStored }: RegistrySources,
  services?: Services,
): Registry {
  const check = (model: ClassModel, before: readonly ClassModel[]) => [
    ...aggregateMistakes(model),
    ...projectionMistakes(model, before, { place: store.projections, services }),
  ];
  const onInvalid = validateStored === 'warn' ? warningsOfInvalid() : validateStored && guarded(validateStored);
  return Registry.of(classes, check, { upcasters, passOver, ...(onInvalid && { onInvalid }) });
}
