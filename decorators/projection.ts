import { checkName, checkOptions, decoratedClass } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import { type ProjectionMode, projectionSlot, type RetryPolicy } from '../lib/metadata/slots';
import type { AnyClassDecorator } from './event';
import { checkCount, checkRetry } from './retry-options';
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
  /**
   * A whole number of 1 or more; 1 unless given. Raise it when the handlers make something else of an event: at the next
   * start the state is folded anew beside the old one, and takes its place when it has caught up.
   */
  readonly version?: number;
  /** `'custom'` where the handlers write the state themselves, on `context.manager`; nothing else of the class is kept. */
  readonly kind?: 'custom';
  /**
   * Empties what the handlers of a custom projection wrote, in the transaction of `manager`, before a rebuild. Without it
   * a custom projection cannot be rebuilt.
   */
  readonly reset?: (manager: never) => unknown;
  /**
   * How often a failing event is tried before it is parked: once, unless given, 100 ms after the first failure, then after
   * pauses that double, up to a minute. Async projections only.
   */
  readonly retry?: Partial<RetryPolicy>;
  /** With more instances that stand still, the projection as a whole stops: 1000 unless given. Async projections only. */
  readonly maxParked?: number;
  /** Keeps the state of an instance now and then, for reading it to be fast with a long history. Live projections only. */
  readonly snapshot?: SnapshotOptions;
}

/** An event is parked at its first failure. */
const once: RetryPolicy = { attempts: 1, delayMs: 100, maxDelayMs: 60_000 };

const known = ['name', 'mode', 'version', 'kind', 'reset', 'retry', 'maxParked', 'snapshot'];

/**
 * Declares a read model: a class that folds events into state that people read. Its constructor takes no arguments. A class
 * that is a TypeORM `@Entity()` as well is kept in its own table.
 *
 * @throws {@link DecoratorError} when an option is unknown or out of its bounds.
 */
export function Projection(options: ProjectionOptions = {}): AnyClassDecorator {
  checkOptions('@Projection', options, known);
  if (options.name !== undefined) checkName('@Projection', options.name);
  const { mode = 'async', version = 1, maxParked = 1_000, kind, reset } = options;
  if (!['inline', 'async', 'live'].includes(mode))
    throw wrong(`mode "${String(mode)}" is unknown`, "Give 'inline', 'async' or 'live'");
  checkCount('@Projection', 'version', version);
  checkCount('@Projection', 'maxParked', maxParked);
  checkKind(options, mode);
  const retry = checkRetry('@Projection', options.retry, once);
  for (const option of ['retry', 'maxParked'] as const)
    if (options[option] !== undefined && mode !== 'async')
      throw wrong(
        `an event is not ${option === 'retry' ? 'retried' : 'parked'} in mode '${mode}'`,
        `Leave ${option} out, or use mode 'async'`,
      );
  const snapshot = options.snapshot === undefined ? undefined : checkSnapshot('@Projection', options.snapshot);
  if (snapshot !== undefined && mode !== 'live')
    throw wrong(`the state is kept anyway in mode '${mode}'`, "Leave snapshot out, or use mode 'live'");
  return (...args) => {
    const { holder, name: className } = decoratedClass('@Projection', args);
    const name = options.name ?? className;
    checkName('@Projection', name);
    const isCustom = kind === 'custom';
    projectionSlot.update(holder, (before) => {
      if (before?.reactor !== undefined)
        throw new DecoratorError('@Projection', className, 'it is a @Reactor() already', 'Make it two classes');
      return { name, mode, version, isCustom, reset, retry, maxParked, ...(snapshot && { snapshot }) };
    });
  };
}

function checkKind({ kind, reset }: ProjectionOptions, mode: ProjectionMode): void {
  if (kind !== undefined && kind !== 'custom')
    throw wrong(
      `kind "${String(kind)}" is unknown`,
      "Give 'custom', or leave it out: an @Entity() is kept in its table, others as documents",
    );
  if (kind === 'custom' && mode === 'live')
    throw wrong("a custom projection has no state to fold in mode 'live'", "Use 'async' or 'inline'");
  if (reset === undefined) return;
  if (typeof reset !== 'function') throw wrong('reset is no function', 'Give (manager) => …, or leave it out');
  if (kind !== 'custom') throw wrong('only a custom projection is reset', "Leave reset out, or give kind: 'custom'");
}

function wrong(problem: string, remedy: string): DecoratorError {
  return new DecoratorError('@Projection', 'its options', problem, remedy);
}
