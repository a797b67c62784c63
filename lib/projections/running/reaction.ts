import type { Class } from '../../events/event-class';
import type { EventContext, RecordedEvent } from '../../events/recorded-event';
import type { BlockedInstance, Changes, GenerationRecord, ProjectionStore } from '../../store/projection-store';
import { applyToEach, type Kept } from '../folding/apply-event';
import type { FoldOptions } from '../folding/fold';
import { runSteps, type Target } from '../folding/projection-class';
import { failureAfter } from '../parking/failures';
import { untried } from '../parking/resume-instance';
import { ProjectionError } from '../projection-errors';
import { resolved } from '../services';

/** What a reactor's handler gets beside the event. */
export interface ReactorContext extends EventContext {
  /**
   * Aborts when nobody waits for the handler any more: another process may be handing the event to its own by then, or the
   * `EventSourcing` was closed and the handler did not end within `leaseMs`. What it throws then is no failure of the event,
   * which comes again.
   */
  readonly signal: AbortSignal;
  /**
   * Finds a service, as `EventSourcing.open({ resolve })` does.
   *
   * @throws {@link InvalidArgumentError} where `open` was given no `resolve`.
   */
  resolve<T>(token: Class<T>): T;
  resolve<T = unknown>(token: unknown): T;
}

/** What the handlers of a reactor are run with. */
export interface ReactOptions extends Pick<FoldOptions, 'projection' | 'blocked' | 'now'> {
  readonly signal: AbortSignal;
  /** Runs `work` so that what is stored in it is a consequence of the event. */
  causedBy<T>(event: RecordedEvent, work: () => T): T;
}

/** What is to be kept of what a reactor did. */
export interface Reaction extends Kept {
  readonly released: Changes['released'];
}

/**
 * Hands a reactor one event, outside of any transaction.
 *
 * @throws what a handler did after the signal was aborted: then nothing of it is to be kept.
 */
export async function react(recorded: RecordedEvent, options: ReactOptions): Promise<Reaction> {
  const kept = await applyToEach(recorded, { ...options, applyTo: (target) => handOver(target, recorded, options) });
  return { ...kept, released: [] };
}

/** Hands it the event once more that an instance stands still at. @throws as {@link react}. */
export async function reactAgain(
  { key, values, event, failure }: BlockedInstance,
  { place, record, ...options }: ReactOptions & { readonly place: ProjectionStore; readonly record: GenerationRecord },
): Promise<Reaction> {
  const { projection, now } = options;
  const [recorded, next] = await place.queue(record, key, 2);
  if (recorded === undefined) return { queued: [], failures: [], released: [] };
  const error = await handOverAll({ key, values }, recorded, options);
  if (error === undefined) {
    const queued = next === undefined ? [] : [{ key, values, event: next, failure: untried(now(), 'handled') }];
    return { queued, failures: [], released: [{ key, upTo: recorded.position }] };
  }
  const again = failureAfter(recorded.id === event.id ? failure : undefined, error, projection.options.retry, now());
  const { attempts, retryAt } = again;
  const told = { projection: projection.name, ids: error.ids, event: recorded, error, attempts, isParked: retryAt === undefined };
  return { queued: [{ key, values, event: recorded, failure: again }], failures: [told], released: [] };
}

/** @param values Undefined where the event did not say whom it concerns: then it goes to all that it names by now. */
async function handOverAll(
  { key, values }: Pick<BlockedInstance, 'key' | 'values'>,
  recorded: RecordedEvent,
  options: ReactOptions,
): Promise<ProjectionError | undefined> {
  const { projection } = options;
  try {
    const targets = projection.targetsOf(recorded).filter(({ identity }) => values === undefined || identity.key === key);
    for (const target of targets) {
      const error = await handOver(target, recorded, options);
      if (error !== undefined) return error;
    }
    return undefined;
  } catch (cause) {
    if (options.signal.aborted) throw cause;
    return new ProjectionError(projection.name, values && projection.idsOf({ values }), recorded, cause);
  }
}

async function handOver(
  target: Target,
  recorded: RecordedEvent,
  { projection, signal, causedBy }: ReactOptions,
): Promise<ProjectionError | undefined> {
  const { identity, more = [] } = target;
  try {
    for (const { event, steps } of [target, ...more]) {
      const { data, ...rest } = event;
      const context: ReactorContext = {
        ...rest,
        signal,
        resolve: <T>(token: unknown) => resolved(projection.services, token) as T,
      };
      await causedBy(event, async () => runSteps(steps, projection.reactor(identity), data, context));
    }
    return undefined;
  } catch (cause) {
    if (signal.aborted) throw cause;
    return new ProjectionError(projection.name, projection.idsOf(identity), recorded, cause);
  }
}
