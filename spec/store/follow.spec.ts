import {
  type Append,
  type EventQuery,
  type EventStore,
  EventStream,
  InMemoryEventStore,
  InvalidPositionError,
  type Position,
  type RecordedEvent,
} from 'eventfold';
import { Observable } from 'rxjs';
import { follow } from '../../lib/store/follow';
import { storeOver } from '../controls/store-over';

describe('follow', () => {
  it('gives what is stored, then what comes, each event once and in order', async () => {
    const store = new InMemoryEventStore();
    await note(store, 1, 2);
    const reader = new Reader(store);
    expect(await reader.take(2)).toStrictEqual([1, 2]);
    await note(store, 3);
    await note(store, 4, 5);
    expect(await reader.take(3)).toStrictEqual([3, 4, 5]);
    await reader.stop();
  });

  it('waits for the first event of an empty store', async () => {
    const store = new InMemoryEventStore();
    const reader = new Reader(store);
    const first = reader.take(1);
    await note(store, 1);
    expect(await first).toStrictEqual([1]);
    await reader.stop();
  });

  it('begins after the position that it is given', async () => {
    const store = new InMemoryEventStore();
    const [, second] = await note(store, 1, 2, 3);
    const reader = new Reader(store, { after: second as Position });
    expect(await reader.take(1)).toStrictEqual([3]);
    await note(store, 4);
    expect(await reader.take(1)).toStrictEqual([4]);
    await reader.stop();
  });

  it('gives only what matches, history and later', async () => {
    const store = new InMemoryEventStore();
    await note(store, 1, 2);
    const reader = new Reader(store, { criteria: [{ tags: ['odd'] }] });
    expect(await reader.take(1)).toStrictEqual([1]);
    await note(store, 4);
    await note(store, 5, 6, 7);
    expect(await reader.take(2)).toStrictEqual([5, 7]);
    await reader.stop();
  });

  it('loses nothing that is appended between the last chunk and the waiting', async () => {
    const memory = new InMemoryEventStore();
    await note(memory, 1);
    const late = [2, 3, 4];
    const store = readingThen(memory, async () => {
      const next = late.shift();
      if (next !== undefined) await note(memory, next);
    });
    const reader = new Reader(store);
    expect(await reader.take(4)).toStrictEqual([1, 2, 3, 4]);
    await reader.stop();
  });

  it('gives each event once when a chunk already holds what it was woken for', async () => {
    const store = new InMemoryEventStore();
    const reader = new Reader(store);
    const taking = reader.take(50);
    for (let number = 1; number <= 50; number += 1) void note(store, number);
    expect(await taking).toStrictEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    await note(store, 51);
    expect(await reader.take(1)).toStrictEqual([51]);
    await reader.stop();
  });

  it('reads no further than chunks are taken', async () => {
    const memory = new InMemoryEventStore();
    let readings = 0;
    const store = readingThen(memory, async () => {
      readings += 1;
    });
    await note(memory, 1);
    const reader = new Reader(store);
    expect(await reader.take(1)).toStrictEqual([1]);
    await note(memory, 2);
    await note(memory, 3);
    expect(readings).toBe(0);
    expect(await reader.take(2)).toStrictEqual([2, 3]);
    expect(readings).toBe(1);
    await reader.stop();
  });

  it('ends when it is aborted: while it waits, between chunks, and before it began', async () => {
    const store = new InMemoryEventStore();
    await note(store, 1);
    const waiting = new Reader(store);
    await waiting.take(1);
    const next = waiting.next();
    waiting.abort.abort();
    expect(await next).toStrictEqual({ value: undefined, done: true });

    const between = new Reader(store);
    await between.take(1);
    between.abort.abort();
    await note(store, 2);
    expect(await between.next()).toStrictEqual({ value: undefined, done: true });

    const early = new Reader(store);
    early.abort.abort();
    expect(await early.next()).toStrictEqual({ value: undefined, done: true });
  });

  it('gives what is left, then ends, when the store closes', async () => {
    const store = new InMemoryEventStore();
    const waiting = new Reader(store);
    const behind = new Reader(store);
    await note(store, 1);
    expect(await waiting.take(1)).toStrictEqual([1]);
    expect(await behind.take(1)).toStrictEqual([1]);
    const ended = waiting.next();
    await note(store, 2);
    expect((await ended).value?.map(({ version }) => version)).toStrictEqual([2]);
    await store.close();
    expect(await waiting.next()).toStrictEqual({ value: undefined, done: true });
    expect(await behind.take(1)).toStrictEqual([2]);
    expect(await behind.next()).toStrictEqual({ value: undefined, done: true });
  });

  it('ends after the history of a store that is closed already', async () => {
    const store = new InMemoryEventStore();
    await note(store, 1);
    await store.close();
    const reader = new Reader(store);
    expect(await reader.take(1)).toStrictEqual([1]);
    expect(await reader.next()).toStrictEqual({ value: undefined, done: true });
  });

  it('goes on where it was when the store cannot be read for a while', async () => {
    const memory = new InMemoryEventStore();
    await note(memory, 1, 2, 3);
    const store = failingAfterOneEvent(memory, 4);
    const reader = new Reader(store);
    expect(await reader.take(3)).toStrictEqual([1, 2, 3]);
    await note(memory, 4);
    expect(await reader.take(1)).toStrictEqual([4]);
    await reader.stop();
  });

  it('fails when reading fails for good, and lets go of the store', async () => {
    const store = new InMemoryEventStore();
    const reader = new Reader(store, { after: 'made-up' as Position });
    await expect(reader.next()).rejects.toThrow(InvalidPositionError);
    expect(await reader.next()).toStrictEqual({ value: undefined, done: true });
  });

  it('lets go of the wake-ups and the signal however it ends', async () => {
    const memory = new InMemoryEventStore();
    await note(memory, 1, 2);
    const store = countingSubscribers(memory);
    const left = new Reader(store);
    await left.take(1);
    expect(store.subscribers).toBe(1);
    await left.leave();
    const aborted = new Reader(store);
    await aborted.take(2);
    await aborted.stop();
    const failed = new Reader(store, { after: 'made-up' as Position });
    await failed.next().catch(() => undefined);
    expect(store.subscribers).toBe(0);
  });
});

/** Takes what is followed, by what the events note. */
class Reader {
  readonly abort = new AbortController();
  private readonly chunks: AsyncGenerator<readonly RecordedEvent[], void>;

  constructor(store: EventStore, query: Pick<EventQuery, 'after' | 'criteria'> = {}) {
    this.chunks = follow(store, query, this.abort.signal);
  }

  /** Takes chunks until they hold `count` events or more. */
  async take(count: number): Promise<unknown[]> {
    const seen: unknown[] = [];
    while (seen.length < count) {
      const { value, done } = await this.chunks.next();
      if (done === true) break;
      seen.push(...value.map(({ data }) => (data as { number: number }).number));
    }
    return seen;
  }

  next(): Promise<IteratorResult<readonly RecordedEvent[], void>> {
    return this.chunks.next();
  }

  async stop(): Promise<void> {
    this.abort.abort();
    expect(await this.chunks.next()).toStrictEqual({ value: undefined, done: true });
  }

  async leave(): Promise<void> {
    await this.chunks.return();
  }
}

/** Appends numbers, those that are odd with a tag that says so. @returns their positions. */
async function note(store: EventStore, ...numbers: number[]): Promise<Position[]> {
  const events = numbers.map((number) => ({ type: 'noted', data: { number }, tags: number % 2 === 1 ? ['odd'] : [] }));
  const append: Append = { stream: 'a', events, guard: { version: 'any' } };
  return (await store.append([append])).events.map(({ position }) => position);
}

/** @returns the store, which does something each time that a reading has given its last chunk. */
function readingThen(store: InMemoryEventStore, then: () => Promise<void>): EventStore {
  return storeOver(store, {
    read: (query: EventQuery): EventStream =>
      new EventStream(async function* () {
        yield* store.read(query).chunks();
        await then();
      }),
  });
}

/** @returns the store, whose first readings break off: the first at once, the others after one event. */
function failingAfterOneEvent(store: InMemoryEventStore, failures: number): EventStore {
  let left = failures;
  return storeOver(store, {
    read: (query: EventQuery): EventStream =>
      new EventStream(async function* () {
        left -= 1;
        if (left < 0) {
          yield* store.read(query).chunks();
          return;
        }
        if (left < failures - 1) yield* store.read({ ...query, limit: 1 }).chunks();
        throw new Error('The database is away.');
      }),
  });
}

function countingSubscribers(store: InMemoryEventStore): EventStore & { readonly subscribers: number } {
  let subscribers = 0;
  const appended = () =>
    new Observable<Position>((subscriber) => {
      subscribers += 1;
      const subscription = store.appended().subscribe(subscriber);
      return () => {
        subscribers -= 1;
        subscription.unsubscribe();
      };
    });
  return storeOver(store, {
    appended,
    get subscribers() {
      return subscribers;
    },
  });
}
