import { type Class, nameOf } from './event-class';
import { isOpaque } from './frozen-copy';
import type { RecordedEvent } from './recorded-event';
import { UpcastError } from './upcast-errors';
import { Dropped, type Upcaster, upcasterName } from './upcaster';

/** A version of an event, by its name. */
export interface VersionOfEvent {
  readonly type: string;
  readonly version: number;
}

/** An upcaster, with the names of what it leads to. */
export interface UpcastStep {
  readonly upcaster: Upcaster;
  readonly targets: readonly VersionOfEvent[];
  /** The same by what the upcaster calls them. */
  readonly byEvent: ReadonlyMap<Class | string, VersionOfEvent>;
}

/** An upcaster at its place in a way. */
export interface UpcastStage extends UpcastStep {
  /** Those that made what it is given, since the stored version. */
  readonly before: readonly UpcastStage[];
}

/** Plain JSON values. */
export type StoredData = Readonly<Record<string, unknown>>;

/** One of several events that one was stored as. */
export interface SplitEvent {
  readonly target: VersionOfEvent;
  readonly data: StoredData;
}

/** Runs an upcaster that makes one event. @throws {@link UpcastError} when it fails, or gives no data. */
export function upcastOne(recorded: RecordedEvent, step: UpcastStage, data: StoredData): StoredData | Dropped {
  const result = run(recorded, step, data);
  if (isData(result)) return result;
  throw upcastError(recorded, step, `returned ${whatIs(result)}; return the data of the next version, or dropped(reason)`);
}

/** Runs an upcaster that makes several events. @throws {@link UpcastError} when it fails, or gives no list of them. */
export function upcastSeveral(recorded: RecordedEvent, step: UpcastStage, data: StoredData): readonly SplitEvent[] | Dropped {
  const result = run(recorded, step, data);
  if (result instanceof Dropped) return result;
  if (!Array.isArray(result) || result.length === 0) {
    const what = Array.isArray(result) ? 'an empty array' : whatIs(result);
    throw upcastError(recorded, step, `returned ${what}; return an array of { event, data }, or dropped(reason)`);
  }
  return (result as readonly unknown[]).map((item, index) => splitEvent(recorded, step, item, index));
}

/** @returns the error that names an upcaster. */
export function upcastError(recorded: RecordedEvent, step: UpcastStage, problem: string, cause?: unknown): UpcastError {
  const { upcaster, targets, before } = step;
  const to = targets.map(({ type, version }) => `"${type}" version ${version}`).join(' and ') || 'nothing';
  const after = before.map((earlier) => upcasterName(earlier.upcaster));
  const name = { name: upcasterName(upcaster), from: upcaster.from, to, after };
  return new UpcastError(recorded, name, problem, cause === undefined ? {} : { cause });
}

function run(recorded: RecordedEvent, step: UpcastStage, data: StoredData): unknown {
  try {
    return step.upcaster.run(data as never, recorded);
  } catch (error) {
    throw upcastError(recorded, step, `threw ${error instanceof Error ? String(error) : nameOf(error)}`, error);
  }
}

function splitEvent(recorded: RecordedEvent, step: UpcastStage, item: unknown, index: number): SplitEvent {
  const { event, data } = (typeof item === 'object' && item !== null ? item : {}) as { event?: Class | string; data?: unknown };
  const target = event === undefined ? undefined : step.byEvent.get(event);
  if (target === undefined)
    throw upcastError(recorded, step, `returned at [${index}] an event of ${nameOf(event)}, which its "into" does not name`);
  if (isData(data)) return { target, data };
  throw upcastError(recorded, step, `returned at [${index}] ${whatIs(data)} as the data of ${nameOf(event)}`);
}

/** Also of what is dropped: that is told apart where it matters. */
function isData(value: unknown): value is StoredData {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isOpaque(value)) return false;
  return typeof (value as { then?: unknown }).then !== 'function';
}

function whatIs(value: unknown): string {
  if (typeof (value as PromiseLike<unknown> | null | undefined)?.then !== 'function') return nameOf(value);
  Promise.resolve(value).catch(() => undefined);
  return 'a promise, but upcasters are synchronous';
}
