import { checkName, checkOptions, decoratedClass } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import { type ProjectionMode, projectionSlot, type RetryPolicy } from '../lib/metadata/slots';
import type { AnyClassDecorator } from './event';
import { checkSnapshot, type SnapshotOptions } from './snapshot-options';

/** What `@Projection` takes. */
export interface ProjectionOptions {
  /** The name its state and checkpoint are kept under, without ":". The class's name unless given. */
  readonly name?: string;
  /**
   * `'async'` (the default): in the background, where a failing event is parked. `'inline'`: in the append, which
   * fails when a handler throws. `'live'`: folded when asked for, kept nowhere.
   */
  readonly mode?: ProjectionMode;
  /** How often a failing event is tried before it is parked: once, unless given. Async projections only. */
  readonly retry?: Partial<RetryPolicy>;
  /** Keeps the state of an instance now and then, for reading it to be fast with a long history. Live projections only. */
  readonly snapshot?: SnapshotOptions;
}

/**
 * Declares a read model: a class that folds events into state that people read. Its constructor takes no arguments.
 *
 * @throws {@link DecoratorError} when an option is unknown or out of its bounds.
 */
export function Projection(options: ProjectionOptions = {}): AnyClassDecorator {
  checkOptions('@Projection', options, ['name', 'mode', 'retry', 'snapshot']);
  if (options.name !== undefined) checkName('@Projection', options.name);
  const { mode = 'async', retry: given = {} } = options;
  if (!['inline', 'async', 'live'].includes(mode)) {
    throw new DecoratorError(
      '@Projection',
      'its options',
      `mode "${String(mode)}" is unknown`,
      "Give 'inline', 'async' or 'live'",
    );
  }
  const retry = checkRetry(given, mode, options.retry !== undefined);
  const snapshot = options.snapshot === undefined ? undefined : checkSnapshot('@Projection', options.snapshot);
  if (snapshot !== undefined && mode !== 'live') {
    throw new DecoratorError(
      '@Projection',
      'its options',
      `the state is kept anyway in mode '${mode}'`,
      "Leave snapshot out, or use mode 'live'",
    );
  }
  return (...args) => {
    const { holder, name: className } = decoratedClass('@Projection', args);
    const name = options.name ?? className;
    checkName('@Projection', name);
    projectionSlot.update(holder, () => ({ name, mode, retry, ...(snapshot && { snapshot }) }));
  };
}

function checkRetry(retry: Partial<RetryPolicy>, mode: ProjectionMode, isGiven: boolean): RetryPolicy {
  checkOptions('@Projection', retry, ['attempts', 'delayMs']);
  const { attempts = 1, delayMs = 100 } = retry;
  if (isGiven && mode !== 'async') {
    throw new DecoratorError(
      '@Projection',
      'its options',
      `an event is not retried in mode '${mode}'`,
      "Leave retry out, or use mode 'async'",
    );
  }
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    throw new DecoratorError(
      '@Projection',
      'its options',
      `${String(attempts)} attempts are not possible`,
      'Give a whole number of 1 or more',
    );
  }
  if (!Number.isFinite(delayMs) || delayMs < 0) {
    throw new DecoratorError('@Projection', 'its options', `a delay of ${String(delayMs)} ms is not possible`, 'Give 0 or more');
  }
  return { attempts, delayMs };
}
