import { type AppendResult, type AppendTransaction, type Ending, InMemoryEventStore, type Position } from 'eventfold';
import { projectionStoreSuite } from 'eventfold/testing';
import { lastValueFrom } from 'rxjs';
import { InMemoryProjectionStore } from '../../lib/store/in-memory-projection-store';
import type { StateDefinition } from '../../lib/store/projection-store';
import { storeOver } from '../controls/store-over';

projectionStoreSuite('the projections of InMemoryEventStore', async () => ({ store: new InMemoryEventStore() }));

projectionStoreSuite('InMemoryProjectionStore beside a store that keeps no projections', async () => {
  const store = storeOver(new InMemoryEventStore(), { projections: undefined });
  return { store, projections: new InMemoryProjectionStore(store) };
});

describe('InMemoryProjectionStore beside a store whose appends join transactions', () => {
  it('goes on with what an append of the same transaction has staged', async () => {
    const { place, record, positions, total, add } = await opened();
    const [first, second] = [new OpenTransaction(positions[0]), new OpenTransaction(positions[1])];
    await add(first, positions[0], positions[1]);
    await add(second, positions[1], positions[2]);
    expect(await total()).toBe(0);
    first.end('committed');
    second.end('committed');
    expect(await total()).toBe(2);
    expect((await place.records())[0]?.checkpoint).toBe(positions[2]);
    expect(await place.take(record, 'two', 1)).toBeDefined();
  });

  it('takes back what an append of the same transaction has staged, and no more', async () => {
    const { place, positions, total, add } = await opened();
    const transactions = [
      new OpenTransaction(positions[0]),
      new OpenTransaction(positions[1]),
      new OpenTransaction(positions[1]),
    ];
    await add(transactions[0], positions[0], positions[1]);
    await add(transactions[1], positions[1], positions[2]);
    transactions[1]?.end('rolledBack');
    await add(transactions[2], positions[1], positions[3]);
    transactions[0]?.end('committed');
    transactions[2]?.end('committed');
    expect(await total()).toBe(2);
    expect((await place.records())[0]?.checkpoint).toBe(positions[3]);
  });

  it('has an append of another transaction wait', async () => {
    const { positions, total, add } = await opened();
    const [one, other] = [new OpenTransaction(positions[0]), new OpenTransaction(positions[0])];
    await add(one, positions[0], positions[1]);
    const waiting = add(other, positions[0], positions[2]);
    one.end('rolledBack');
    await waiting;
    other.end('committed');
    expect(await total()).toBe(1);
  });
});

describe('InMemoryProjectionStore', () => {
  it('ends its progress when the store is closed', async () => {
    const store = new InMemoryEventStore();
    const ended = lastValueFrom(store.projections.progressed(), { defaultValue: 'ended' });
    await store.close();
    expect(await ended).toBe('ended');
    expect(await lastValueFrom(store.projections.progressed(), { defaultValue: 'ended' })).toBe('ended');
  });
});

/** A transaction that ends when a spec says so. */
class OpenTransaction implements AppendTransaction {
  private readonly endings: Ending[] = [];

  constructor(readonly previous: Position | undefined) {}

  append(): Promise<AppendResult> {
    return Promise.reject(new Error('Nothing is appended here.'));
  }

  onEnd(ending: Ending): void {
    this.endings.push(ending);
  }

  end(how: 'committed' | 'rolledBack'): void {
    for (const ending of this.endings) void ending(how);
  }
}

class Count {
  total = 0;
}

/** @returns a place with one instance that stands at the first of several events. */
async function opened() {
  const store = new InMemoryEventStore();
  const place = store.projections;
  const noted = { type: 'noted', data: {} };
  const { events } = await store.append([{ stream: 'a', events: [noted, noted, noted, noted], guard: { version: 'any' } }]);
  const positions = events.map(({ position }) => position);
  const id = { key: 'x', values: ['x'] };
  const definition: StateDefinition = {
    ...{ projection: 'Counts', target: Count, kind: 'document', ids: [] },
    ...{ create: () => new Count(), idOf: () => id, encode: () => '', decode: () => new Count() },
  };
  const record = await place.create(definition, 1, 'serving');
  const nothing = { removed: [], queued: [], released: [] };
  const saved = [{ id, state: new Count(), isNew: true }];
  await place.commit(definition, record, { ...nothing, from: undefined, to: positions[0], saved });
  return {
    ...{ place, record, positions },
    total: async () => ((await place.load(definition, record, [id])).get('x') as Count).total,
    add: async (transaction: OpenTransaction | undefined, previous: Position | undefined, to: Position | undefined) => {
      const inline = place.inline(transaction as OpenTransaction);
      expect(await inline.advance([record], previous, to as Position)).toStrictEqual([]);
      const state = (await inline.load(definition, record, [id])).get('x') as Count;
      state.total += 1;
      await inline.commit(definition, record, { ...nothing, from: to, to, saved: [{ id, state, isNew: false }] });
    },
  };
}
