import { decodeAs, type EventIdentity } from './decode';
import { nameOf } from './event-class';
import { shapeProblem } from './event-shape';
import { frozenCopy, guardedCopy, refusedScalar, unreadableReason } from './frozen-copy';
import { deepFreeze, isPlainObject } from './json-value';
import { Misfit } from './misfit';
import { storedForm } from './payload-codec';
import { Place } from './place';
import type { RecordedEvent } from './recorded-event';
import { UnreadablePayloadError } from './unreadable-payload-error';
import { UnstorablePayloadError } from './unstorable-payload-error';
import { MissingUpcasterError, NewerEventError } from './upcast-errors';
import { type StoredData, type UpcastStage, upcastError, upcastOne, upcastSeveral } from './upcast-step';
import type { UpcastWay } from './upcast-way';
import { Dropped } from './upcaster';

const none: readonly RecordedEvent[] = Object.freeze([]);

/** Nobody has looked for what holds itself before it is read. */
const tooDeep = 'refers back to itself, or is nested too deeply';

/**
 * @returns the events that a stored event comes to on its way: one, several, or none when it was dropped.
 * @throws {@link MissingUpcasterError}, {@link NewerEventError}, {@link UpcastError} or {@link UnreadablePayloadError}.
 */
export function upcast(recorded: RecordedEvent, way: UpcastWay): readonly RecordedEvent[] {
  if (way.isCurrent && way.last === undefined) return [decodeAs(recorded, way.event as EventIdentity, recorded.data)];
  const parts = follow(recorded, way, plainData(recorded));
  return parts.length < 2 ? parts : parts.map((part, index) => numbered(part, index + 1, parts.length));
}

/** @returns the events that data comes to, or what it is split into. */
function follow(recorded: RecordedEvent, way: UpcastWay, start: StoredData): readonly RecordedEvent[] {
  const { stages, split } = way;
  let data = start;
  for (let index = 0; index < stages.length; index += 1) {
    const next = upcastOne(recorded, stages[index] as UpcastStage, data);
    if (next instanceof Dropped) return none;
    data = next;
  }
  if (split === undefined) return [arrived(recorded, way, data)];
  const events = upcastSeveral(recorded, split.stage, data);
  if (events instanceof Dropped) return none;
  return events.flatMap((event) => follow(recorded, split.ways.get(event.target) as UpcastWay, event.data));
}

function arrived(recorded: RecordedEvent, { event, isCurrent, to, last }: UpcastWay, data: StoredData): RecordedEvent {
  if (!isCurrent) throw noWay(recorded, event, to.version);
  return made(recorded, event as EventIdentity, data, last as UpcastStage);
}

/** @returns what an upcaster made of a stored event, as an instance of its class. */
function made(recorded: RecordedEvent, event: EventIdentity, data: StoredData, by: UpcastStage): RecordedEvent {
  const { class: target } = event;
  let isWhole: boolean;
  let decoded: RecordedEvent;
  try {
    isWhole = isFlat(data);
    decoded = decodeAs(recorded, event, isWhole && !isMade(data, event) ? data : owned(data, event));
  } catch (error) {
    const isMisfit = error instanceof UnreadablePayloadError || error instanceof UnstorablePayloadError;
    const { path, reason } = isMisfit ? error : { path: '', reason: unreadableReason(error, tooDeep) };
    const what = path === '' ? 'data which' : `data whose "${path}"`;
    throw upcastError(recorded, by, `returned ${what} ${reason}: it is not that of ${target.name}`, error);
  }
  const problem = shapeProblem(event, decoded.data) ?? (isWhole ? undefined : storageProblem(data, ''));
  if (problem !== undefined) throw upcastError(recorded, by, `returned data that is not of ${target.name}: ${problem}`);
  return decoded;
}

/** @returns data that nobody else can change: an upcaster may have given what it gives for other events, too. */
function owned(data: StoredData, event: EventIdentity): object {
  return isMade(data, event) ? frozenCopy(data, event.type) : guardedCopy(data, event.type);
}

/** Says whether an upcaster has made the instance itself. */
function isMade(data: StoredData, { class: target }: EventIdentity): boolean {
  return Object.getPrototypeOf(data) === target.prototype;
}

/**
 * An upcaster that looks for what is not there makes `NaN` of it, and every sum would be that from then on.
 *
 * @returns what is wrong with data that no stored event can hold; undefined when nothing is.
 */
function storageProblem(data: object, path: string): string | undefined {
  for (const key in data) {
    const value = (data as StoredData)[key];
    if (isStorable(value)) continue;
    const at = Array.isArray(data) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    if (typeof value !== 'object') return `"${at}" is ${refusedScalar(value)}`;
    const problem = storageProblem(value as object, at);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Says whether a value can be stored, as far as it shows without a look into it. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol');
}

/** Says whether an object holds no others, and nothing that cannot be stored, as that of most events. */
function isFlat(data: object): boolean {
  for (const key in data) if (!isStorable((data as StoredData)[key]) || key === '__proto__') return false;
  return true;
}

/** @returns the data as it is stored: plain values, which nobody can change. */
function plainData(recorded: RecordedEvent): StoredData {
  const { data } = recorded as { data: unknown };
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new UnreadablePayloadError(recorded, '', `is ${nameOf(data)}`);
  try {
    const plain = isPlainObject(data) ? data : storedForm(data);
    return (isFlat(plain) ? Object.freeze(plain) : deepFreeze(plain, Place.payload)) as StoredData;
  } catch (error) {
    if (error instanceof Misfit) throw new UnreadablePayloadError(recorded, error.place.toString(), error.reason);
    throw error;
  }
}

function noWay(recorded: RecordedEvent, event: EventIdentity | undefined, version: number): Error {
  if (event !== undefined && version > event.schemaVersion) return new NewerEventError(recorded, event.schemaVersion);
  return new MissingUpcasterError(recorded, event?.schemaVersion);
}

function numbered(part: RecordedEvent, number: number, of: number): RecordedEvent {
  return Object.freeze({ ...part, part: Object.freeze({ number, of }) });
}
