import type { RecordedEvent } from '../events/recorded-event';
import type { EventModel } from '../metadata/class-model';
import { type Mistake, StartUpError } from '../metadata/mistake';
import { Registry } from '../metadata/registry';

/** How events of a stored name and version are read, or why they cannot be. */
export type Reading = 'current' | 'upcast' | 'passed over' | 'unknown' | 'newer' | 'no upcaster';

/** Tells of every stored name and version how it is read. */
export type ReadsVersion = (name: string, version: number) => Reading;

/** What an application reads stored events by, as `EventSourcing.open` takes it. */
export interface ApplicationClasses {
  /** Aggregates, projections and events. */
  readonly classes: readonly unknown[];
  readonly upcasters?: readonly unknown[];
  /** Stored names that the application has no use for. */
  readonly passOver?: readonly string[];
}

/** @throws {@link StartUpError} when the classes, or the ways between versions, do not fit together. */
export function registryOf({ classes, upcasters = [], passOver = [] }: ApplicationClasses): Registry {
  return Registry.of(classes, () => [], { upcasters: upcasters as readonly object[], passOver });
}

/**
 * The same where upcasters do not fit together, which is for the report to tell.
 *
 * @throws {@link StartUpError} when anything else does not.
 */
export function comparedRegistry({ classes, upcasters = [], passOver = [] }: ApplicationClasses): {
  readonly registry: Registry;
  readonly mistakes: readonly Mistake[];
} {
  const compared = Registry.withUpcasterMistakes(classes, { upcasters: upcasters as readonly object[], passOver });
  if (compared.mistakes.some(({ code }) => code === 'PASSED_OVER_EVENT')) throw new StartUpError(compared.mistakes);
  return compared;
}

/** @returns the event that is written under a name, or has it as an alias. */
export function eventNamed(registry: Registry, name: string): EventModel | undefined {
  return registry.eventByType(name) ?? registry.allEvents().find(({ aliases }) => aliases.includes(name));
}

/** @returns how a registry reads names and versions. */
export function readingOf({ upcasting }: Registry): ReadsVersion {
  return (name, version) => upcasting.reads(name, version);
}

/** @returns the events of today that a stored event stands for. @throws what says why it cannot be read. */
export function readEvents({ upcasting }: Registry, recorded: RecordedEvent): readonly RecordedEvent[] {
  const stored = upcasting.asStored(recorded);
  return stored === undefined ? upcasting.parts(recorded) : [stored];
}
