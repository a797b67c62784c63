import type { Position, RecordedEvent } from '../events/recorded-event';
import { copyState } from './copy-state';
import { type Contents, writeInstances } from './in-memory-contents';
import type { BlockedInstance, Changes, QueuedEvent } from './projection-store';
import { untried } from './untried';

/** Says which of two positions is the later one, as {@link EventStore.compare} does. */
export type Compare = (a: Position, b: Position) => number;

/** @returns the queues that changes leave, by key: what is released is taken out, what is queued added in order. */
function changedQueues(
  contents: Contents,
  { released, queued }: Pick<Changes, 'released' | 'queued'>,
  compare: Compare,
): Map<string, QueuedEvent[]> {
  const changed = new Map<string, QueuedEvent[]>();
  const queueOf = (key: string): readonly QueuedEvent[] => changed.get(key) ?? contents.queue(key);
  for (const { key, upTo } of released)
    changed.set(
      key,
      queueOf(key).filter(({ event }) => compare(event.position, upTo) > 0),
    );
  for (const item of queued) {
    const queue = changed.get(item.key) ?? [...contents.queue(item.key)];
    changed.set(item.key, queue);
    enqueue(queue, item, compare);
  }
  return changed;
}

function enqueue(queue: QueuedEvent[], item: QueuedEvent, compare: Compare): void {
  const { position } = item.event;
  let end = queue.length;
  while (end > 0 && compare((queue[end - 1] as QueuedEvent).event.position, position) > 0) end -= 1;
  const isThere = queue[end - 1]?.event.position === position;
  const start = isThere ? end - 1 : end;
  queue.splice(start, end - start, { ...item, event: eventCopy(item.event) });
}

/** @returns the first events of an instance's queue. */
export function queueOf(contents: Contents, key: string, limit: number): RecordedEvent[] {
  return contents
    .queue(key)
    .slice(0, limit)
    .map(({ event }) => eventCopy(event));
}

/** @returns the instances that have a queue, in the order of the events that they stand still at. */
export function blockedIn(contents: Contents, compare: Compare): BlockedInstance[] {
  const blocked: BlockedInstance[] = [];
  for (const key of contents.queued()) {
    const queue = contents.queue(key);
    const [{ values, event, failure }] = queue as [QueuedEvent];
    blocked.push({ key, values, event: eventCopy(event), failure: failure ?? untried(event), waiting: queue.length - 1 });
  }
  return blocked.sort((a, b) => compare(a.event.position, b.event.position));
}

/** Freezing protects neither dates nor maps. */
function eventCopy(event: RecordedEvent): RecordedEvent {
  const { data, metadata } = event;
  return Object.freeze({ ...event, data: frozenAs(data, copyState(data)), metadata: frozenAs(metadata, copyState(metadata)) });
}

function frozenAs<T>(original: T, copy: T): T {
  return Object.isFrozen(original) ? Object.freeze(copy) : copy;
}

/** Keeps changes, all or nothing. */
export function writeChanges(contents: Contents, changes: Changes, compare: Compare): void {
  const queues = changedQueues(contents, changes, compare);
  writeInstances(contents, changes);
  for (const [key, queue] of queues) contents.setQueue(key, queue);
  contents.checkpoint = changes.to;
}
