import { Event } from 'eventfold';
import { type EventRecord, eventSlot } from '../../lib/metadata/slots';
import 'reflect-metadata';

type Class = abstract new (...args: never[]) => object;

/** What a class of events is made of. */
export interface MadeEvent {
  readonly name?: string;
  readonly class?: string;
  readonly version?: number;
  /** Names under which it was stored before. */
  readonly aliases?: readonly string[];
  /** The values of a new instance. */
  readonly defaults?: object;
}

/** @returns an event class with these decorators on its properties, as if it were written so. */
export function madeEvent(
  properties: Readonly<Record<string, readonly PropertyDecorator[]>>,
  { name = 'order.placed', class: className = 'Placed', version = 1, aliases, defaults = {} }: MadeEvent = {},
): Class {
  const made = {
    [className]: class {
      constructor() {
        for (const property of Object.keys(properties)) (this as Record<string, unknown>)[property] = undefined;
        Object.assign(this, defaults);
      }
    },
  }[className] as Class;
  for (const [property, decorators] of Object.entries(properties))
    for (const decorator of [...decorators].reverse()) decorator(made.prototype as object, property);
  Event(name, { version })(made);
  if (aliases !== undefined) eventSlot.update(made, (record) => ({ ...record, aliases }) as EventRecord);
  return made;
}

/** What a compiler emits of a property. */
export function typed(type: unknown): PropertyDecorator {
  return Reflect.metadata('design:type', type) as PropertyDecorator;
}
