import { nameOf } from '../events/event-class';
import type { Append, Guard, NewEvent } from './append';
import type { EventQuery, PageRequest } from './event-query';
import { InvalidAppendError, InvalidQueryError } from './store-errors';

/** @throws {@link InvalidAppendError} when an append could not be understood. For the use of stores. */
export function checkAppends(appends: readonly Append[]): void {
  if (!Array.isArray(appends)) throw new InvalidAppendError(`append takes an array of appends, not ${nameOf(appends)}.`);
  for (const append of appends as readonly Append[]) checkAppend(append);
}

function checkAppend(append: Append): void {
  if (typeof append !== 'object' || append === null)
    throw new InvalidAppendError(`An append is an object, not ${nameOf(append)}.`);
  const { stream, events, guard } = append;
  if (typeof stream !== 'string' || stream === '')
    throw new InvalidAppendError(`An append's stream is text, not ${nameOf(stream)}.`);
  if (!Array.isArray(events))
    throw new InvalidAppendError(`The events for stream "${stream}" are an array, not ${nameOf(events)}.`);
  if (!isGuard(guard)) {
    throw new InvalidAppendError(
      `The append to stream "${stream}" has no valid guard. Give { version: number | 'none' | 'exists' | 'any' } or { condition }.`,
    );
  }
  for (const event of events as readonly NewEvent[]) checkEvent(stream, event);
}

function isGuard(guard: Guard): boolean {
  if (typeof guard !== 'object' || guard === null || Object.keys(guard).length !== 1) return false;
  if ('version' in guard) {
    const { version } = guard;
    return typeof version === 'number'
      ? Number.isSafeInteger(version) && version >= 0
      : ['any', 'none', 'exists'].includes(version);
  }
  return 'condition' in guard && Array.isArray(guard.condition?.criteria);
}

function checkEvent(stream: string, event: NewEvent): void {
  if (typeof event !== 'object' || event === null)
    throw new InvalidAppendError(`An event for "${stream}" is ${nameOf(event)}, not an object.`);
  const { type, data, id, schemaVersion, time } = event;
  if (typeof type !== 'string' || type === '') throw new InvalidAppendError(`An event for "${stream}" has no type.`);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new InvalidAppendError(`${type}: the data of an event is an object, not ${nameOf(data)}.`);
  }
  if (id !== undefined && (typeof id !== 'string' || id === ''))
    throw new InvalidAppendError(`${type}: the id of an event is text, not ${nameOf(id)}.`);
  if (schemaVersion !== undefined && !(Number.isSafeInteger(schemaVersion) && schemaVersion > 0)) {
    throw new InvalidAppendError(`${type}: schema version ${String(schemaVersion)} is no whole number of 1 or more.`);
  }
  if (time !== undefined && Number.isNaN(new Date(time).getTime()))
    throw new InvalidAppendError(`${type}: ${nameOf(time)} is no time.`);
}

/** @throws {@link InvalidQueryError} when a query could not be understood. For the use of stores. */
export function checkQuery(query: EventQuery): void {
  if (typeof query !== 'object' || query === null) throw new InvalidQueryError(`A query is an object, not ${nameOf(query)}.`);
  const { limit, afterVersion, stream, direction, criteria } = query;
  if (limit !== undefined && !isCount(limit)) throw new InvalidQueryError(`A limit of ${String(limit)} is not possible.`);
  if (afterVersion !== undefined && !isCount(afterVersion))
    throw new InvalidQueryError(`Version ${String(afterVersion)} is not possible.`);
  if (afterVersion !== undefined && stream === undefined) throw new InvalidQueryError('afterVersion needs a stream.');
  if (direction !== undefined && direction !== 'forward' && direction !== 'backward') {
    throw new InvalidQueryError(`Direction ${nameOf(direction)} is unknown: 'forward' or 'backward'.`);
  }
  if (criteria !== undefined && !Array.isArray(criteria))
    throw new InvalidQueryError(`criteria is an array, not ${nameOf(criteria)}.`);
}

/** @throws {@link InvalidQueryError} when a page could not be understood. For the use of stores. */
export function checkPage(query: EventQuery, request: PageRequest): void {
  checkQuery(query);
  if (query.limit !== undefined) throw new InvalidQueryError('A query for pages has no limit; the page has.');
  if (query.direction === 'backward') throw new InvalidQueryError('Pages are in reading order; use { last, before } to go back.');
  const count = 'first' in request ? request.first : request.last;
  if (!isCount(count) || count === 0) throw new InvalidQueryError(`A page of ${String(count)} events is not possible.`);
  if ('first' in request === 'last' in request) throw new InvalidQueryError('A page has either first or last.');
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
