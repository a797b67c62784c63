import type { RecordedEvent } from '../../events/recorded-event';
import type {
  BlockedInstance,
  Changes,
  Failure,
  GenerationRecord,
  ProjectionStore,
  ProjectionTransaction,
} from '../../store/projection-store';
import { Fold } from '../folding/fold';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { NotParkedError, ProjectionError } from '../projection-errors';
import { FailedHandler } from './failed-handler';
import { failureAfter } from './failures';
import type { ProjectionFailure } from './parked-event';

/** What an instance is resumed with. */
export interface ResumeOptions {
  readonly place: ProjectionStore;
  readonly definition: ProjectionDefinition;
  readonly record: GenerationRecord;
  now(): Date;
  report(failure: ProjectionFailure): void;
}

/** So many events of a queue are applied in one transaction. */
const most = 500;

/**
 * Tries the event again that an instance stands still at, then those that wait behind it, as far as they go.
 *
 * @returns false when others have changed something meanwhile: nothing more was done.
 * @throws {@link NotParkedError} when the instance does not stand still any more.
 */
export async function retryInstance(instance: BlockedInstance, options: ResumeOptions): Promise<boolean> {
  let { record } = options;
  let isOver = false;
  while (!isOver) {
    try {
      const isKept = await options.place.transact(options.definition, record, async (transaction) => {
        const queue = await transaction.queue(instance.key, most + 1);
        if (queue.length === 0) throw new NotParkedError(record.projection, options.definition.idsOf(instance.values));
        isOver = queue.length <= most;
        return applied(instance, queue.slice(0, most), transaction, options);
      });
      if (!isKept) return false;
    } catch (error) {
      return keepFailure(instance, blamed(instance, error, options), { ...options, record });
    }
    const again = await recordOf(options);
    if (again === undefined) return false;
    record = again;
  }
  return true;
}

/**
 * Leaves out the event that an instance stands still at. What waits behind it is to be tried next.
 *
 * @returns false when others have changed something meanwhile: nothing was done.
 * @throws {@link NotParkedError} when the instance does not stand still at that event any more.
 */
export function skipEvent({ key, values, event }: BlockedInstance, options: ResumeOptions): Promise<boolean> {
  const { place, definition, record, now } = options;
  return place.transact(definition, record, async (transaction) => {
    const [first, next] = await transaction.queue(key, 2);
    if (first?.id !== event.id) throw new NotParkedError(record.projection, definition.idsOf(values));
    const { checkpoint } = transaction;
    const queued = next === undefined ? [] : [{ key, values, event: next, failure: untried(now(), 'skipped') }];
    const released = [{ key, upTo: first.position }];
    return { from: checkpoint, to: checkpoint, saved: [], removed: [], queued, released, isForeign: true };
  });
}

/**
 * Has whoever runs a reactor try the event again, at once, that an instance stands still at.
 *
 * @returns false when others have changed something meanwhile: nothing was done.
 * @throws {@link NotParkedError} when the instance does not stand still at that event any more.
 */
export function retrySoon({ key, values, event, failure }: BlockedInstance, options: ResumeOptions): Promise<boolean> {
  const { place, definition, record, now } = options;
  return place.transact(definition, record, async (transaction) => {
    const [first] = await transaction.queue(key, 1);
    if (first?.id !== event.id) throw new NotParkedError(record.projection, definition.idsOf(values));
    const { checkpoint } = transaction;
    const queued = [{ key, values, event: first, failure: { ...failure, retryAt: now().toISOString() } }];
    return { from: checkpoint, to: checkpoint, saved: [], removed: [], queued, released: [], isForeign: true };
  });
}

/** Says of an event that it has not been tried since the one before it was dealt with. */
export function untried(now: Date, how: 'skipped' | 'handled'): Failure {
  const time = now.toISOString();
  return {
    message: `The event before it was ${how}.`,
    stack: undefined,
    attempts: 0,
    firstFailedAt: time,
    lastFailedAt: time,
    retryAt: time,
  };
}

async function recordOf({ place, record }: ResumeOptions): Promise<GenerationRecord | undefined> {
  const records = await place.records(record.projection);
  return records.find(({ generation }) => generation === record.generation);
}

/** Folds the first events of a queue, and takes them out of it. */
async function applied(
  { key, values }: BlockedInstance,
  events: readonly RecordedEvent[],
  transaction: ProjectionTransaction,
  { definition, record, now }: ResumeOptions,
): Promise<Changes> {
  const [first] = events as [RecordedEvent];
  if (values === undefined) throw unrouted(definition, first);
  const fold = new Fold({
    projection: definition.folding,
    load: (ids) => transaction.load(definition, record, ids),
    blocked: new Map(),
    managers: transaction,
    now,
    onFailure: 'throw',
    only: key,
  });
  await fold.add(events);
  const { checkpoint } = transaction;
  const upTo = (events.at(-1) ?? first).position;
  return { ...fold.changes(checkpoint, checkpoint), released: [{ key, upTo }], isForeign: true };
}

/** Its place in the order has passed, for whatever instance it may name by now. */
function unrouted(definition: ProjectionDefinition, recorded: RecordedEvent): FailedHandler {
  let cause: unknown;
  try {
    const targets = definition.folding.targetsOf(recorded);
    const keys = targets.map(({ identity }) => JSON.stringify(identity.key)).join(', ');
    cause = new Error(
      `it names ${keys || 'no instance'} now, whose later events have been applied. Rebuild the projection to fold it in order.`,
    );
  } catch (error) {
    cause = error;
  }
  return new FailedHandler(new ProjectionError(definition.projection, undefined, recorded, cause), recorded);
}

/** @returns which event failed. @throws what no event is to blame for. */
function blamed({ event, values }: BlockedInstance, error: unknown, { place, definition }: ResumeOptions): FailedHandler {
  if (error instanceof FailedHandler) {
    if (place.isTransient(error.failure.cause)) throw error.failure.cause;
    return error;
  }
  if (place.isTransient(error) || !place.isRefusal(error)) throw error;
  // Which of them made what cannot be kept is not known: the first one is as good as any to stand still at.
  return new FailedHandler(new ProjectionError(definition.projection, definition.idsOf(values), event, error), event);
}

/** Keeps what could be applied before the event that failed, and its failure. */
async function keepFailure(
  instance: BlockedInstance,
  { event, failure }: FailedHandler,
  options: ResumeOptions,
): Promise<boolean> {
  const { place, definition, record, now } = options;
  const { key, values } = instance;
  const { retry } = definition.folding.options;
  const isFirst = event.id === instance.event.id;
  const kept = failureAfter(isFirst ? instance.failure : undefined, failure, retry, now());
  const isKept = await place.transact(definition, record, async (transaction) => {
    const queue = await transaction.queue(key, most);
    const { checkpoint } = transaction;
    const earlier = queue.slice(
      0,
      Math.max(
        0,
        queue.findIndex(({ id }) => id === event.id),
      ),
    );
    const none: Changes = { from: checkpoint, to: checkpoint, saved: [], removed: [], queued: [], released: [], isForeign: true };
    const changes = earlier.length === 0 ? none : await applied(instance, earlier, transaction, options);
    return { ...changes, queued: [{ key, values, event, failure: kept }] };
  });
  if (!isKept) return false;
  const { attempts, retryAt } = kept;
  options.report({
    projection: record.projection,
    ids: failure.ids,
    event,
    error: failure,
    attempts,
    isParked: retryAt === undefined,
  });
  return true;
}
