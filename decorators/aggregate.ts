import { type Class, nameOf } from '../lib/events/event-class';
import { checkEventClass, checkName, checkOptions, decoratedClass } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import { aggregateSlot } from '../lib/metadata/slots';
import type { AnyClassDecorator } from './event';
import { checkSnapshot, type SnapshotOptions } from './snapshot-options';

/** What `@Aggregate` takes. */
export interface AggregateOptions {
  /** The first part of its streams' names, without ":". The class's name unless given. */
  readonly name?: string;
  /**
   * `'boundary'` guards each append by every event that the instance depends on, also where its own stream would do.
   * Unless given it follows from the decorators: see `registry.describe(Account).guard`.
   */
  readonly guard?: 'boundary';
  /** Refuses to load from a stream with events that the class neither handles nor lists in `ignores`. */
  readonly strict?: boolean;
  /** Event classes that a strict aggregate passes over. */
  readonly ignores?: readonly Class[];
  /** Keeps the state of an instance now and then, for loading it to be fast with a long history. */
  readonly snapshot?: SnapshotOptions;
}

/**
 * Declares a consistency boundary: a class that extends {@link AggregateRoot}, handles its events to know its state,
 * and decides new ones in its commands.
 *
 * @throws {@link DecoratorError} when an option is unknown, of a wrong type, or out of its bounds.
 */
export function Aggregate(options: AggregateOptions = {}): AnyClassDecorator {
  checkOptions('@Aggregate', options, ['name', 'guard', 'strict', 'ignores', 'snapshot']);
  if (options.name !== undefined) checkName('@Aggregate', options.name);
  if (options.guard !== undefined && options.guard !== 'boundary') {
    throw new DecoratorError(
      '@Aggregate',
      'its options',
      `guard "${String(options.guard)}" is unknown`,
      "Leave it out, or give 'boundary'",
    );
  }
  const { guard = 'derived', strict = false, ignores = [] } = options;
  if (typeof strict !== 'boolean') {
    throw new DecoratorError('@Aggregate', 'its options', `strict is ${nameOf(strict)}`, 'Give true or false');
  }
  if (!Array.isArray(ignores)) {
    throw new DecoratorError('@Aggregate', 'its options', `ignores is ${nameOf(ignores)}`, 'Give an array of event classes');
  }
  for (const event of ignores) checkEventClass('@Aggregate', 'ignores', event);
  const snapshot = options.snapshot === undefined ? undefined : checkSnapshot('@Aggregate', options.snapshot);
  return (...args) => {
    const { holder, name: className } = decoratedClass('@Aggregate', args);
    const name = options.name ?? className;
    checkName('@Aggregate', name);
    aggregateSlot.update(holder, () => ({ name, guard, strict, ignores: [...ignores], ...(snapshot && { snapshot }) }));
  };
}
