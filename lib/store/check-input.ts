import type { Criterion } from '../events/criterion';
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
  return 'condition' in guard && Array.isArray(guard.condition?.criteria) && guard.condition.criteria.every(isCriterion);
}

function isCriterion(criterion: Criterion): boolean {
  if (typeof criterion !== 'object' || criterion === null) return false;
  for (const key in criterion) if (key !== 'types' && key !== 'tags') return false;
  const { types, tags } = criterion;
  return (types === undefined || isTexts(types)) && (tags === undefined || isTexts(tags));
}

function isTexts(texts: readonly string[]): boolean {
  return Array.isArray(texts) && texts.every((text) => typeof text === 'string');
}

function checkEvent(stream: string, event: NewEvent): void {
  if (typeof event !== 'object' || event === null)
    throw new InvalidAppendError(`An event for "${stream}" is ${nameOf(event)}, not an object.`);
  const { type, data, id, schemaVersion, metadata, tags, time } = event;
  if (typeof type !== 'string' || type === '') throw new InvalidAppendError(`An event for "${stream}" has no type.`);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new InvalidAppendError(`${type}: the data of an event is an object, not ${nameOf(data)}.`);
  }
  if (id !== undefined && (typeof id !== 'string' || id === ''))
    throw new InvalidAppendError(`${type}: the id of an event is text, not ${nameOf(id)}.`);
  if (schemaVersion !== undefined && !(Number.isSafeInteger(schemaVersion) && schemaVersion > 0)) {
    throw new InvalidAppendError(`${type}: schema version ${String(schemaVersion)} is no whole number of 1 or more.`);
  }
  if (metadata !== undefined && (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)))
    throw new InvalidAppendError(`${type}: the metadata of an event is an object, not ${nameOf(metadata)}.`);
  if (tags !== undefined && !isTexts(tags)) throw new InvalidAppendError(`${type}: the tags of an event are an array of texts.`);
  if (time !== undefined && !isTime(time)) throw new InvalidAppendError(`${type}: ${nameOf(time)} is no time.`);
}

function isTime(time: string | Date): boolean {
  if (typeof time === 'string') return !Number.isNaN(Date.parse(time));
  return time instanceof Date && !Number.isNaN(time.getTime());
}

const queryKeys = new Set([
  'stream',
  'criteria',
  'after',
  'before',
  'afterVersion',
  'afterTime',
  'beforeTime',
  'direction',
  'limit',
]);

/** @throws {@link InvalidQueryError} when a query could not be understood. For the use of stores. */
export function checkQuery(query: EventQuery): void {
  if (typeof query !== 'object' || query === null) throw new InvalidQueryError(`A query is an object, not ${nameOf(query)}.`);
  const { limit, afterVersion, stream, direction, criteria } = query;
  if (limit !== undefined && !isCount(limit)) throw new InvalidQueryError(`A limit of ${String(limit)} is not possible.`);
  if (afterVersion !== undefined && !isCount(afterVersion))
    throw new InvalidQueryError(`Version ${String(afterVersion)} is not possible.`);
  if (stream !== undefined && (typeof stream !== 'string' || stream === ''))
    throw new InvalidQueryError(`A stream is text, not ${nameOf(stream)}.`);
  if (afterVersion !== undefined && stream === undefined) throw new InvalidQueryError('afterVersion needs a stream.');
  for (const key of ['afterTime', 'beforeTime'] as const) {
    const time = query[key];
    if (time !== undefined && !isTime(time)) throw new InvalidQueryError(`${key} is a Date or ISO 8601, not ${nameOf(time)}.`);
  }
  if (direction !== undefined && direction !== 'forward' && direction !== 'backward') {
    throw new InvalidQueryError(`Direction ${nameOf(direction)} is unknown: 'forward' or 'backward'.`);
  }
  if (criteria !== undefined && !Array.isArray(criteria))
    throw new InvalidQueryError(`criteria is an array, not ${nameOf(criteria)}.`);
  if (criteria?.every(isCriterion) === false)
    throw new InvalidQueryError('A criterion is { types?, tags? }, each an array of texts, and nothing else.');
  for (const key in query) if (!queryKeys.has(key)) throw new InvalidQueryError(`A query has no "${key}".`);
}

/** @throws {@link InvalidQueryError} when a page could not be understood. For the use of stores. */
export function checkPage(query: EventQuery, request: PageRequest): void {
  checkQuery(query);
  if (query.limit !== undefined) throw new InvalidQueryError('A query for pages has no limit; the page has.');
  if (query.direction === 'backward') throw new InvalidQueryError('Pages are in reading order; use { last, before } to go back.');
  if (typeof request !== 'object' || request === null)
    throw new InvalidQueryError(`A page is { first, after? } or { last, before? }, not ${nameOf(request)}.`);
  for (const key in request) {
    if (!('first' in request ? ['first', 'after'] : ['last', 'before']).includes(key))
      throw new InvalidQueryError(`A page is { first, after? } or { last, before? }; "${key}" does not belong there.`);
  }
  const count = 'first' in request ? request.first : request.last;
  if (!isCount(count) || count === 0) throw new InvalidQueryError(`A page of ${String(count)} events is not possible.`);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
