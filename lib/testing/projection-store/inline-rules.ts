import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { AppendTransaction, BeforeCommit } from '../../store/append';
import type { Changes, GenerationRecord, InlineTransaction } from '../../store/projection-store';
import { append, noted, notes, notesOf, refusalOf, to } from '../event-store/steps';
import type { RuleBook } from './rule-book';
import type { Scene } from './scene';
import type { Tally } from './tally';

/** Changes that are kept with an append. */
export function inlineRules({ describe, it, expect }: RuleBook): void {
  describe('an inline projection', () => {
    it('moves on with the append', async (scene) => {
      const record = await atHead(scene);
      let elsewhere: unknown;
      const { position } = await scene.store.append([to('b', notes(2))], async (events, transaction) => {
        const inline = scene.place.inline(transaction);
        elsewhere = await inline.advance([record], transaction.previous, last(events));
        await inline.commit(scene.definition, record, changesTo(events, { saved: [scene.made('x', 2)] }));
      });
      expect(elsewhere).toStrictEqual([]);
      expect(await scene.recordOf(record)).toEqual({ ...record, checkpoint: position });
      expect(await scene.totals()).toStrictEqual({ x: 2 });
    });

    it('is taken back with the append', async (scene) => {
      const record = await atHead(scene, [scene.made('x', 1)]);
      const failure = new Error('no');
      const failing = scene.store.append([to('b', notes(2))], async (events, transaction) => {
        const inline = scene.place.inline(transaction);
        await inline.advance([record], transaction.previous, last(events));
        const queued = [scene.failed('y', 9)];
        await inline.commit(scene.definition, record, changesTo(events, { saved: [scene.changed('x', 2)], queued }));
        throw failure;
      });
      expect(await refusalOf(failing)).toBe(failure);
      expect(await scene.recordOf(record)).toEqual(record);
      expect(await scene.totals()).toStrictEqual({ x: 1 });
      expect(await scene.place.blocked(record)).toStrictEqual([]);
      await scene.store.append([to('b', notes(1))], counting(scene, record));
      expect(await scene.totals()).toStrictEqual({ x: 2 });
    });

    it('stays where it is when it is elsewhere, and is told', async (scene) => {
      const record = await scene.keep(await scene.take(), { to: scene.at(4), saved: [scene.made('x', 4)] });
      const told: GenerationRecord[] = [];
      await scene.store.append([to('b', notes(1))], async (events, transaction) => {
        told.push(...(await scene.place.inline(transaction).advance([record], transaction.previous, last(events))));
      });
      expect(told).toEqual([record]);
      expect(await scene.recordOf(record)).toEqual(record);
    });

    it('stays where it is when its token is another one, and is told as it is', async (scene) => {
      const record = await atHead(scene);
      await scene.place.mark(record, { isPaused: true });
      const marked = await scene.recordOf(record);
      const told: GenerationRecord[] = [];
      await scene.store.append([to('b', notes(1))], async (events, transaction) => {
        told.push(...(await scene.place.inline(transaction).advance([record], transaction.previous, last(events))));
      });
      expect(told).toEqual([marked]);
      expect(await scene.recordOf(record)).toEqual(marked);
    });

    it('is moved where it is taken to be, or fails the append', async (scene) => {
      const record = await atHead(scene, [scene.made('x', 1)]);
      const moving = (given: GenerationRecord): BeforeCommit => {
        return async (events, transaction) => {
          const inline = scene.place.inline(transaction);
          await inline.move([given], transaction.previous, last(events));
          await inline.commit(scene.definition, given, changesTo(events, { saved: [scene.changed('x', 2)] }));
        };
      };
      const { position } = await scene.store.append([to('b', notes(1))], moving(record));
      expect(await scene.recordOf(record)).toEqual({ ...record, checkpoint: position });
      expect(await scene.totals()).toStrictEqual({ x: 2 });
      const another = { ...record, token: record.token + 1 };
      expect(await refusalOf(scene.store.append([to('b', notes(1))], moving(another)))).toBeInstanceOf(Error);
      await scene.store.append([to('b', notes(1))]);
      expect(await refusalOf(scene.store.append([to('b', notes(1))], moving(record)))).toBeInstanceOf(Error);
      expect((await scene.recordOf(record)).checkpoint).toBe(position);
    });

    it('is told as the one that serves now', async (scene) => {
      const record = await atHead(scene);
      const building = await scene.keep(await scene.take('building', 2), { to: await scene.store.head() });
      await scene.place.promote(scene.definition, building, record);
      const [kept, serving] = [await scene.recordOf(record), await scene.recordOf(building)];
      const told: GenerationRecord[] = [];
      await scene.store.append([to('b', notes(1))], async (events, transaction) => {
        told.push(...(await scene.place.inline(transaction).advance([record], transaction.previous, last(events))));
      });
      expect(told).toEqual([serving]);
      expect(await scene.place.records()).toEqual([kept, serving]);
    });

    it('catches up from where it is', async (scene) => {
      const record = await scene.keep(await scene.take(), { to: scene.at(4), saved: [scene.made('x', 4)] });
      const seen: unknown[] = [];
      await scene.store.append([to('b', [noted('new')])], async (events, transaction) => {
        const inline = scene.place.inline(transaction);
        const [behind] = await inline.advance([record], transaction.previous, last(events));
        for await (const chunk of inline.read(behind?.checkpoint, transaction.previous as Position)) seen.push(...notesOf(chunk));
        await inline.commit(scene.definition, record, {
          ...changesTo(events, { saved: [scene.changed('x', 10)] }),
          from: scene.at(4),
        });
      });
      expect(seen).toStrictEqual([5, 6, 7, 8, 9]);
      expect((await scene.recordOf(record)).checkpoint).toBe(await scene.store.head());
      expect(await scene.totals()).toStrictEqual({ x: 10 });
    });

    it('reads events from the first one on, up to the position that is asked for', async (scene) => {
      const seen: unknown[] = [];
      await scene.store.append([to('b', [noted('new')])], async (_events, transaction) => {
        for await (const chunk of scene.place.inline(transaction).read(undefined, scene.position(3)))
          seen.push(...notesOf(chunk));
      });
      expect(seen).toStrictEqual([1, 2, 3]);
    });

    it('sees what the same append has changed', async (scene) => {
      const record = await atHead(scene, [scene.made('x', 1), scene.made('y', 1)]);
      const seen: unknown[] = [];
      await scene.store.append([to('b', notes(1))], async (events, transaction) => {
        const inline = scene.place.inline(transaction);
        await inline.advance([record], transaction.previous, last(events));
        const queued = [scene.failed('z', 8), scene.waiting('z', 9)];
        const given = { saved: [scene.changed('x', 2)], removed: [scene.id('y')], queued };
        await inline.commit(scene.definition, record, changesTo(events, given));
        seen.push(await totalsIn(scene, record, scene.place.inline(transaction), ['x', 'y']));
        seen.push((await inline.blocked(record)).map(({ key, waiting }) => [key, waiting]));
      });
      expect(seen).toStrictEqual([{ x: 2 }, [['z', 1]]]);
      expect(await scene.place.blocked(record)).toHaveLength(1);
    });

    it('goes on from append to append of one transaction', async (scene) => {
      const record = await atHead(scene);
      const count = counting(scene, record);
      await scene.store.append([to('b', [noted('cause')])], async (events, transaction) => {
        await count(events, transaction);
        if (notesOf(events)[0] === 'cause') await transaction.append([to('c', [noted('derived')])]);
      });
      expect(await scene.totals()).toStrictEqual({ x: 2 });
      expect((await scene.recordOf(record)).checkpoint).toBe(await scene.store.head());
    });

    it('attempts what it may take back', async (scene) => {
      const record = await atHead(scene, [scene.made('x', 1)]);
      const failure = new Error('no');
      let refused: unknown;
      await scene.store.append([to('b', notes(1))], async (events, transaction) => {
        const inline = scene.place.inline(transaction);
        await inline.advance([record], transaction.previous, last(events));
        const write = (saved: Changes['saved']) => inline.write(scene.definition, record, { saved, removed: [] });
        await inline.attempt(() => write([scene.made('y', 1)]));
        const failing = inline.attempt(async () => {
          await write([scene.changed('x', 99), scene.made('z', 99)]);
          throw failure;
        });
        refused = await refusalOf(failing);
      });
      expect(refused).toBe(failure);
      expect(await scene.totals()).toStrictEqual({ x: 1, y: 1 });
    });

    it('takes one append after the other', async (scene) => {
      const record = await atHead(scene);
      const streams = ['b', 'c', 'd', 'e', 'f', 'g'];
      await Promise.all(streams.map((stream) => scene.store.append([to(stream, notes(1))], counting(scene, record))));
      expect(await scene.totals()).toStrictEqual({ x: streams.length });
      expect((await scene.recordOf(record)).checkpoint).toBe(await scene.store.head());
    });

    it('leaves nobody else at the checkpoint before', async (scene) => {
      const record = await atHead(scene);
      await scene.store.append([to('b', notes(1))], counting(scene, record));
      expect(await scene.commit(record, { saved: [scene.made('y', 9)] })).toBe(false);
      expect(await scene.totals()).toStrictEqual({ x: 1 });
    });

    it('moves several projections on, each for itself', async (scene) => {
      const { place, definition, store } = scene;
      if (definition.kind === 'entity') return;
      const other = { ...definition, projection: 'Others' };
      const [one, two] = [await atHead(scene), await place.create(other, 1, 'serving')];
      const told: GenerationRecord[] = [];
      const { position } = await append(store, 'b', []);
      const result = await store.append([to('b', notes(1))], async (events, transaction) => {
        const inline = place.inline(transaction);
        told.push(...(await inline.advance([one, two], transaction.previous, last(events))));
        await inline.commit(other, two, changesTo(events, { saved: [scene.made('x', 10)] }));
      });
      expect(told).toEqual([two]);
      expect(position).toBeUndefined();
      expect((await place.records()).map(({ checkpoint }) => checkpoint)).toStrictEqual([result.position, result.position]);
      expect(await scene.totals()).toStrictEqual({});
    });
  });
}

/** @returns the record of a serving generation for which there is nothing left to do. */
async function atHead(scene: Scene, saved: Changes['saved'] = []): Promise<GenerationRecord> {
  return scene.keep(await scene.take(), { to: await scene.store.head(), saved });
}

/** @returns a hook that counts the events of an append in the instance `x`. */
function counting(scene: Scene, record: GenerationRecord) {
  const previous = new WeakMap<AppendTransaction, Position>();
  return (async (events, transaction) => {
    const inline = scene.place.inline(transaction);
    await inline.advance([record], previous.get(transaction) ?? transaction.previous, last(events));
    previous.set(transaction, last(events));
    const { x } = await totalsIn(scene, record, inline, ['x']);
    const saved = [x === undefined ? scene.made('x', events.length) : scene.changed('x', x + events.length)];
    await inline.commit(scene.definition, record, changesTo(events, { saved }));
  }) satisfies BeforeCommit;
}

function changesTo(events: readonly RecordedEvent[], given: Partial<Changes>): Changes {
  return { from: last(events), to: last(events), saved: [], removed: [], queued: [], released: [], ...given };
}

function last(events: readonly RecordedEvent[]): Position {
  return (events.at(-1) as RecordedEvent).position;
}

async function totalsIn(scene: Scene, record: GenerationRecord, inline: InlineTransaction, names: readonly string[]) {
  const ids = names.map((name) => scene.id(name));
  const loaded = [...(await inline.load(scene.definition, record, ids)).values()] as Tally[];
  return Object.fromEntries(loaded.map(({ id, total }): [string, number] => [id, total])) as Partial<Record<string, number>>;
}
