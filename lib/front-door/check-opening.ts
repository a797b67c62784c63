import { nameOf } from '../events/event-class';
import { checkOptions, InvalidArgumentError } from '../events/invalid-argument-error';
import { checkFunction } from './check-function';
import type { EventSourcingOptions } from './event-sourcing-options';

/** What says how stored events are read. */
export const reading = ['store', 'classes', 'upcasters', 'passOver'] as const;

/** What `EventSourcing.open` takes. */
export const opening = [
  ...reading,
  'retag',
  'storedEvents',
  'validateStored',
  'clock',
  'ids',
  'projections',
  'resolve',
  'instances',
] as const;

/** @throws {@link InvalidArgumentError} when an option is unknown or not possible. */
export function checkOpening(options: EventSourcingOptions, call: string, known: readonly string[]): void {
  checkOptions(call, options, known);
  if (typeof options.store?.append !== 'function')
    throw new InvalidArgumentError(`${call} needs a store, such as new InMemoryEventStore().`);
  if (!Array.isArray(options.classes))
    throw new InvalidArgumentError(`${call} needs classes, an array, not ${nameOf(options.classes)}.`);
  if (options.retag !== undefined && typeof options.retag !== 'boolean')
    throw new InvalidArgumentError(`EventSourcing.open({ retag }) takes true or false, not ${nameOf(options.retag)}.`);
  if (options.upcasters !== undefined && !Array.isArray(options.upcasters))
    throw new InvalidArgumentError(`${call} takes upcasters as an array, not ${nameOf(options.upcasters)}.`);
  if (options.passOver !== undefined && !isListOfNames(options.passOver))
    throw new InvalidArgumentError(`${call} takes passOver as an array of stored names, not ${notNames(options.passOver)}.`);
  if (!['strict', 'versions', 'off', undefined].includes(options.storedEvents))
    throw new InvalidArgumentError(
      `EventSourcing.open({ storedEvents }) takes 'strict', 'versions' or 'off', not ${nameOf(options.storedEvents)}.`,
    );
  if (!['warn', undefined].includes(options.validateStored as 'warn') && typeof options.validateStored !== 'function')
    throw new InvalidArgumentError(
      `EventSourcing.open({ validateStored }) takes 'warn' or a function, not ${nameOf(options.validateStored)}.`,
    );
  for (const key of ['clock', 'ids', 'resolve', 'instances'] as const)
    if (options[key] !== undefined) checkFunction(`EventSourcing.open({ ${key} })`, options[key]);
}

function notNames(value: unknown): string {
  if (!Array.isArray(value)) return nameOf(value);
  const wrong: unknown = value.find((name) => typeof name !== 'string' || name === '');
  return `one with ${nameOf(wrong)}`;
}

function isListOfNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
}
