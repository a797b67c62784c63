import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { Append, AppendResult, Guard, NewEvent } from '../../store/append';
import type { EventQuery } from '../../store/event-query';
import type { EventStore } from '../../store/event-store';

export const unguarded: Guard = { version: 'any' };

/** @returns an event to append, of type `noted` unless told otherwise. */
export function noted(note: unknown = 'x', given: Partial<NewEvent> = {}): NewEvent {
  return { type: 'noted', data: { note }, ...given };
}

/** @returns so many events, numbered from 1 in their data. */
export function notes(count: number, given: Partial<NewEvent> = {}): NewEvent[] {
  return Array.from({ length: count }, (_, index) => noted(index + 1, given));
}

/** Appends to one stream, without a guard unless one is given. */
export function append(
  store: EventStore,
  stream: string,
  events: readonly NewEvent[],
  guard: Guard = unguarded,
): Promise<AppendResult> {
  return store.append([{ stream, events, guard }]);
}

/** @returns the one event that was appended. */
export async function appendOne(store: EventStore, stream: string, event: NewEvent, guard?: Guard): Promise<RecordedEvent> {
  const { events } = await append(store, stream, [event], guard);
  return events[0] as RecordedEvent;
}

export async function readAll(store: EventStore, query: EventQuery = {}): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.read(query)) events.push(event);
  return events;
}

/** @returns the versions of the stream as it is stored. */
export async function versionsOf(store: EventStore, stream: string): Promise<number[]> {
  return (await readAll(store, { stream })).map(({ version }) => version);
}

/** @returns what the events note. */
export function notesOf(events: readonly RecordedEvent[]): unknown[] {
  return events.map(({ data }) => (data as { note: unknown }).note);
}

/** @returns what was read, by what the events note. */
export async function notesIn(store: EventStore, query: EventQuery = {}): Promise<unknown[]> {
  return notesOf(await readAll(store, query));
}

/** @returns what the promise rejects with; 'nothing was refused' when it resolves. */
export function refusalOf(promise: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(promise).then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
}

/** Appends the notes 1 to `count` to several streams in turn, one by one. */
export async function appendInTurn(store: EventStore, streams: readonly string[], count: number): Promise<RecordedEvent[]> {
  const recorded: RecordedEvent[] = [];
  for (let index = 0; index < count; index += 1)
    recorded.push(await appendOne(store, streams[index % streams.length] as string, noted(index + 1)));
  return recorded;
}

/** @returns an append to one stream, for a call with several. */
export function to(stream: string, events: readonly NewEvent[], guard: Guard = unguarded): Append {
  return { stream, events, guard };
}

/** @returns a promise, and the function that resolves it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** @returns whether the events' positions strictly increase, as the store compares them. */
export function areInOrder(store: EventStore, events: readonly RecordedEvent[]): boolean {
  return events.every((event, index) => {
    const before = events[index - 1];
    return before === undefined || store.compare(before.position, event.position) < 0;
  });
}

/** @returns the positions of the first, second, … event, as `numbers` say. */
export function positionsAt<N extends number[]>(events: readonly RecordedEvent[], ...numbers: N): { [K in keyof N]: Position } {
  return numbers.map((number) => events[number - 1]?.position) as { [K in keyof N]: Position };
}
