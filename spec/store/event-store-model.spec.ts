import {
  type Append,
  type EventQuery,
  type EventStore,
  InMemoryEventStore,
  OptimisticLockError,
  type Position,
  type RecordedEvent,
} from 'eventfold';
import fc from 'fast-check';
import { type ModelAppend, type ModelQuery, ModelStore, type Place } from '../controls/model-store';

describe('any history of an event store', () => {
  it('is that of an array that is filtered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
        const pair = new Pair(new InMemoryEventStore());
        for (const take of steps) await take(pair);
        await pair.compareAll();
      }),
      { numRuns: 150 },
    );
  });
});

type Step = (pair: Pair) => Promise<void>;

const stream = fc.constantFrom('s1', 's2', 's3');
const type = fc.constantFrom('t1', 't2', 't3');
const tag = fc.constantFrom('a:1', 'a:2', 'b:1', 'b:2');
/** A place in what is stored when the step is taken, or none. */
const place = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(1000) });
const criteria = fc.array(
  fc.record({ types: fc.array(type, { maxLength: 2 }), tags: fc.array(tag, { maxLength: 2 }) }, { requiredKeys: [] }),
  { maxLength: 3 },
);
const guard = fc.oneof(
  fc.constantFrom('any' as const, 'any' as const, 'none' as const, 'exists' as const).map((version) => ({ version })),
  fc.integer({ min: -1, max: 1 }).map((ahead) => ({ ahead })),
  fc.record({ criteria, after: place }).map((condition) => ({ condition })),
);
const drafts = fc.array(
  fc.record({ stream, guard, events: fc.array(fc.record({ type, tags: fc.array(tag, { maxLength: 3 }) }), { maxLength: 3 }) }),
  { maxLength: 3 },
);
type Draft = typeof drafts extends fc.Arbitrary<(infer D)[]> ? D : never;

const bounds = fc.record({ after: place, before: place });
const selection = fc.record(
  {
    stream,
    criteria,
    afterVersion: fc.nat(5),
    direction: fc.constantFrom('forward' as const, 'backward' as const),
    limit: fc.nat(6),
  },
  { requiredKeys: [] },
);
const query = fc.tuple(bounds, selection).map(([{ after, before }, { afterVersion, ...rest }]) => ({
  after,
  before,
  ...rest,
  ...(rest.stream !== undefined && afterVersion !== undefined && { afterVersion }),
}));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: drafts.map(
      (given): Step =>
        (pair) =>
          pair.append(given),
    ),
  },
  {
    weight: 1,
    arbitrary: drafts.map(
      (given): Step =>
        (pair) =>
          pair.appendInVain(given),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(drafts, drafts).map(
      ([given, more]): Step =>
        (pair) =>
          pair.appendAndMore(given, more),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.array(drafts, { maxLength: 4 }).map(
      (rivals): Step =>
        (pair) =>
          pair.race(rivals),
    ),
  },
  {
    weight: 4,
    arbitrary: query.map(
      (given): Step =>
        (pair) =>
          pair.read(given),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(query, fc.integer({ min: 1, max: 4 }), place, fc.boolean()).map(
      ([given, count, cursor, isForward]): Step =>
        (pair) =>
          pair.page(given, count, cursor, isForward),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.array(type), fc.array(tag, { maxLength: 2 })).map(
      ([types, tags]): Step =>
        (pair) =>
          pair.retag(types, tags),
    ),
  },
);

/** A store and its model, to which the same is done. */
class Pair {
  private readonly model = new ModelStore();
  private readonly positions: Position[] = [];
  private count = 0;

  constructor(private readonly store: EventStore) {}

  async append(drafts: readonly Draft[]): Promise<void> {
    const appends = this.modelAppends(drafts);
    const outcome = this.outcomeOf(this.store.append(this.storeAppends(appends)));
    await this.expectOutcome(this.model.append(appends), outcome);
  }

  async appendInVain(drafts: readonly Draft[]): Promise<void> {
    const appends = this.modelAppends(drafts);
    const failing = this.store.append(this.storeAppends(appends), async () => {
      throw new OptimisticLockError('hook', undefined, 0);
    });
    const stores = appends.some(({ events }) => events.length > 0);
    await this.expectOutcome(!stores, this.outcomeOf(failing));
  }

  async appendAndMore(drafts: readonly Draft[], furtherDrafts: readonly Draft[]): Promise<void> {
    const [appends, further] = [this.modelAppends(drafts), this.modelAppends(furtherDrafts)];
    let isFirst = true;
    const appending = this.store.append(this.storeAppends(appends), async (_events, transaction) => {
      if (isFirst) {
        isFirst = false;
        await transaction.append(this.storeAppends(further));
      }
    });
    const stores = appends.some(({ events }) => events.length > 0);
    const isDone = this.model.transaction(() => this.model.append(appends) && (!stores || this.model.append(further)));
    await this.expectOutcome(isDone, this.outcomeOf(appending));
  }

  async race(rivals: readonly (readonly Draft[])[]): Promise<void> {
    const appends = rivals.map((drafts) => this.modelAppends(drafts));
    const outcomes = appends.map((rival) => this.outcomeOf(this.store.append(this.storeAppends(rival))));
    for (const [index, rival] of appends.entries())
      expect([index, await outcomes[index]]).toStrictEqual([index, this.model.append(rival)]);
    await this.compareAll();
  }

  async read(query: ModelQuery): Promise<void> {
    const placed = this.placed(query);
    expect(await this.idsIn(this.storeQuery(placed))).toStrictEqual(this.model.read(placed).map(({ id }) => id));
  }

  async page(
    { limit: _limit, direction: _direction, ...rest }: ModelQuery,
    count: number,
    cursor: Place,
    isForward: boolean,
  ): Promise<void> {
    const query = this.placed(rest);
    const at = this.place(cursor);
    const all = this.model.read(query).map(({ id }) => id);
    const places = all.map((id) => this.model.events.findIndex((event) => event.id === id) + 1);
    const beforeCursor =
      at === 0 ? (isForward ? 0 : all.length) : places.filter((place) => (isForward ? place <= at : place < at)).length;
    const [from, to] = isForward ? [beforeCursor, beforeCursor + count] : [Math.max(0, beforeCursor - count), beforeCursor];
    const position = this.positions[at - 1];
    const page = await this.store.page(
      this.storeQuery(query),
      isForward
        ? { first: count, ...(position !== undefined && { after: position }) }
        : { last: count, ...(position !== undefined && { before: position }) },
    );
    expect(page.items.map(({ id }) => id)).toStrictEqual(all.slice(from, to));
    expect([page.hasPreviousPage, page.hasNextPage]).toStrictEqual([from > 0, to < all.length]);
    expect([page.startCursor, page.endCursor]).toStrictEqual([page.items[0]?.position, page.items.at(-1)?.position]);
  }

  async retag(types: readonly string[], tags: readonly string[]): Promise<void> {
    const tagsOf = (id: string) => (id.length % 2 === 0 ? tags : tags.slice(1));
    const changed = await this.store.retag(types, ({ id }) => tagsOf(id));
    expect(changed).toBe(this.model.retag(types, tagsOf));
  }

  async compareAll(): Promise<void> {
    const events: RecordedEvent[] = [];
    for await (const event of this.store.read({})) events.push(event);
    expect(events.map(({ id, stream, version, type, tags }) => ({ id, stream, version, type, tags: [...tags] }))).toStrictEqual(
      this.model.events,
    );
    this.positions.splice(0, this.positions.length, ...events.map(({ position }) => position));
    for (const [index, position] of this.positions.entries())
      expect(index === 0 || this.store.compare(this.positions[index - 1] as Position, position) < 0).toBe(true);
    expect(await this.store.head()).toBe(this.positions.at(-1));
  }

  private async expectOutcome(expected: boolean, outcome: Promise<boolean>): Promise<void> {
    expect(await outcome).toBe(expected);
    await this.compareAll();
  }

  private async outcomeOf(appending: Promise<unknown>): Promise<boolean> {
    try {
      await appending;
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(OptimisticLockError);
      return false;
    }
  }

  private async idsIn(query: EventQuery): Promise<string[]> {
    const ids: string[] = [];
    for await (const { id } of this.store.read(query)) ids.push(id);
    return ids;
  }

  private modelAppends(drafts: readonly Draft[]): ModelAppend[] {
    return drafts.map(({ stream, guard, events }) => ({
      stream,
      guard: this.modelGuard(stream, guard),
      events: events.map((event) => ({ ...event, id: this.nextId(), data: {} })),
    }));
  }

  private modelGuard(stream: string, guard: Draft['guard']): ModelAppend['guard'] {
    if ('version' in guard) return guard;
    if ('ahead' in guard) return { version: Math.max(0, this.model.versionOf(stream) + guard.ahead) };
    const { criteria, after } = guard.condition;
    return { condition: { criteria, after: this.place(after) } };
  }

  private storeAppends(appends: readonly ModelAppend[]): Append[] {
    return appends.map(({ guard, ...rest }) => {
      if ('version' in guard) return { ...rest, guard };
      const { criteria, after } = guard.condition;
      return { ...rest, guard: { condition: { criteria, after: this.positions[after - 1] } } };
    });
  }

  private placed(query: ModelQuery): ModelQuery {
    return { ...query, after: this.place(query.after), before: this.place(query.before) };
  }

  private storeQuery({ after, before, ...rest }: ModelQuery): EventQuery {
    const [later, earlier] = [this.positions[after - 1], this.positions[before - 1]];
    return { ...rest, ...(later !== undefined && { after: later }), ...(earlier !== undefined && { before: earlier }) };
  }

  /** Any number as a place in what is stored; 0 stays 0. */
  private place(number: number): Place {
    return number === 0 || this.positions.length === 0 ? 0 : 1 + (number % this.positions.length);
  }

  private nextId(): string {
    this.count += 1;
    return `e${this.count}`;
  }
}
