import type { Class } from '../lib/events/event-class';
import { checkName, checkOptions, decoratedClass } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import { eventSlot } from '../lib/metadata/slots';

/** What `@Event` takes beside the name. */
export interface EventOptions {
  /** The version of the event's shape: a whole number of 1 or more. 1 unless given. */
  readonly version?: number;
}

/** A class decorator of TypeScript or of the standard. */
export type AnyClassDecorator = (target: Class, context?: ClassDecoratorContext) => void;

/**
 * Declares a class of events: immutable facts, stored under a name that outlives the class.
 *
 * @param name The stored name, without ":". The class's own name unless given; give one, so that renaming the class
 * later is free.
 * @throws {@link DecoratorError} when the name or an option is not usable.
 * @example
 * ```ts
 * @Event('account.deposited')
 * class Deposited {
 *   @IsUUID() accountId!: string;
 *   @IsPositive() amount!: number;
 * }
 * ```
 */
export function Event(name?: string, options: EventOptions = {}): AnyClassDecorator {
  checkOptions('@Event', options, ['version']);
  if (name !== undefined) checkName('@Event', name);
  const { version: schemaVersion = 1 } = options;
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1) {
    throw new DecoratorError(
      '@Event',
      'its options',
      `version ${String(schemaVersion)} is not possible`,
      'Give a whole number of 1 or more',
    );
  }
  return (...args) => {
    const { holder, name: className } = decoratedClass('@Event', args);
    const type = name ?? className;
    checkName('@Event', type);
    eventSlot.update(holder, () => ({ type, schemaVersion }));
  };
}
