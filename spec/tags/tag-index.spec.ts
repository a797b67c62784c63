import {
  Aggregate,
  AggregateRoot,
  type Class,
  createEvent,
  Event,
  EventSourcing,
  type EventStore,
  Handles,
  NotRegisteredError,
  type PositionRange,
  Projection,
  ProjectionId,
  type TagSources,
  UnresolvedIdError,
  UntaggableEventError,
  UntaggedEventsError,
} from 'eventfold';
import { storeOver } from '../controls/store-over';
import { Credited, Moved, rejection, Tally, Wallet } from '../controls/wallets';
import { kinds, range, Trial } from '../promises/stores';

@Event('tags.shared')
class Shared {
  members!: string[];
}

@Projection({ mode: 'live' })
class Membership {
  @ProjectionId() member!: string;
  count = 0;

  @Handles(Shared, { member: 'members' })
  shared() {
    this.count += 1;
  }
}

/** Whose id is computed, which only a process with this class can do. */
@Aggregate()
class Region extends AggregateRoot {
  @ProjectionId() readonly region!: string;
  moves = 0;

  @Handles(Moved, { region: (event: Moved) => event.from[0] })
  protected moved() {
    this.moves += 1;
  }
}

@Projection({ mode: 'live' })
class Senders {
  @ProjectionId() from!: string;
  sum = 0;

  @Handles(Moved)
  moved({ amount }: Moved) {
    this.sum += amount;
  }
}

@Projection({ mode: 'live' })
class Receivers {
  @ProjectionId() to!: string;
  sum = 0;

  @Handles(Moved)
  moved({ amount }: Moved) {
    this.sum += amount;
  }
}

const credited = (walletId: string, amount: number) => createEvent(Credited, { walletId, amount });
const moved = (from: string, to: string, amount = 1) => createEvent(Moved, { from, to, amount });
const wallets = [Wallet, Tally];

/** The store, with what it is asked of its tags. */
function watched(store: EventStore, members: Partial<TagSources> = {}) {
  const looks: { type: string; tagName: string; range: PositionRange }[] = [];
  const sources = store.tagSources as TagSources;
  const tagSources: TagSources = {
    recorded: () => sources.recorded(),
    record: (coverages) => sources.record(coverages),
    forget: (source) => sources.forget(source),
    add: (added) => sources.add(added),
    lacking: (type, tagName, range) => {
      looks.push({ type, tagName, range });
      return sources.lacking(type, tagName, range);
    },
    ...members,
  };
  return { looks, store: storeOver(store, { tagSources }) };
}

for (const kind of kinds.filter(({ name }) => name !== 'InMemoryEventStore')) {
  (kind.isMissing ? describe.skip : describe)(`Tags as an index (${kind.name})`, () => {
    const trial = new Trial(kind);
    beforeAll(() => trial.prepare(), 60_000);

    const { emitWarning } = process;
    let warnings: string[] = [];
    beforeEach(async () => {
      warnings = [];
      process.emitWarning = (warning: string | Error) => void warnings.push(String(warning));
      await trial.begin();
    });
    afterEach(async () => {
      await trial.end();
      process.emitWarning = emitWarning;
    });
    afterAll(() => trial.drop());

    /** A release that knows the events, and none of the classes that ask for tags. */
    const old = () => trial.process(Credited, Moved, Shared);
    const retag = async (...classes: Class[]) => EventSourcing.retag({ store: await trial.store(), classes });
    const balanceOf = async (es: EventSourcing, walletId: string) => (await es.load(Wallet, { walletId })).balance;

    it('refuses to start when events lack tags, and says of which class, property and type, and how many', async () => {
      const before = await old();
      await before.appendUnguarded('s', [credited('a', 5), moved('a', 'b'), moved('b', 'c'), credited('a', 1), credited('b', 1)]);
      for (const _ of range(2)) {
        const error = await rejection(trial.process(...wallets));
        expect(error).toBeInstanceOf(UntaggedEventsError);
        expect((error as UntaggedEventsError).untagged).toStrictEqual([
          { class: 'Wallet', id: 'walletId', type: 'wallet.credited', property: 'walletId', count: 3 },
          { class: 'Wallet', id: 'walletId', type: 'wallet.moved', property: 'from', count: 2 },
          { class: 'Wallet', id: 'walletId', type: 'wallet.moved', property: 'to', count: 2 },
        ]);
        expect((error as Error).message).toMatch(
          /Wallet\.walletId: 3 of "wallet\.credited" have no tag of "walletId".*retag: true/s,
        );
      }
      expect((await trial.stored()).flatMap(({ tags }) => tags)).toStrictEqual([]);
    });

    it('adds them with retag: true, and from then on starts without it', async () => {
      await (await old()).appendUnguarded('s', [credited('a', 5), moved('a', 'b', 2)]);
      const es = await EventSourcing.open({ store: await trial.store(), classes: wallets, retag: true });
      expect([await balanceOf(es, 'a'), await balanceOf(es, 'b')]).toStrictEqual([3, 2]);
      await es.close();
      const later = await trial.process(...wallets);
      expect([await balanceOf(later, 'a'), await balanceOf(later, 'b')]).toStrictEqual([3, 2]);
      expect((await trial.stored()).map(({ tags }) => [...tags].sort())).toStrictEqual([['walletId:a'], ['from:a', 'to:b']]);
    });

    it('adds them with EventSourcing.retag, which counts the events that got one', async () => {
      await (await old()).appendUnguarded('s', [credited('a', 5), moved('a', 'b', 2), moved('a', 'b', 1)]);
      expect(await retag(...wallets)).toBe(3);
      expect(await retag(...wallets)).toBe(0);
      expect(await balanceOf(await trial.process(...wallets), 'b')).toBe(3);
    });

    it('looks at nothing when all is known, and only at what is new when something was appended', async () => {
      const es = await trial.process(...wallets);
      const { position: first } = await es.appendUnguarded(
        's',
        range(10).map((n) => moved('a', `${n}`)),
      );
      const started = await trial.process(...wallets);
      const { store, looks } = watched(await trial.store());
      await EventSourcing.open({ store, classes: wallets });
      expect(looks).toStrictEqual([]);
      const { position: second } = await started.appendUnguarded('s', [moved('a', 'b')]);
      await EventSourcing.open({ store, classes: wallets });
      expect(looks.map(({ tagName, range: looked }) => [tagName, looked.after, looked.upTo])).toStrictEqual(
        ['walletId', 'from', 'to'].map((tagName) => [tagName, first, second]),
      );
      await store.close();
    });

    it('starts at once when there is nothing to tag, and later processes tag for a class that they do not know', async () => {
      await trial.process(...wallets);
      const es = await trial.process(Credited, Moved);
      await es.appendUnguarded('s', [credited('a', 5), moved('a', 'b', 2)]);
      expect((await trial.stored()).map(({ tags }) => [...tags].sort())).toStrictEqual([['walletId:a'], ['from:a', 'to:b']]);
      expect(await balanceOf(await trial.process(...wallets), 'b')).toBe(2);
    });

    it('tags for others what commands emit, and what is appended where classes were registered late', async () => {
      await trial.process(Senders);
      const es = await trial.process(...wallets);
      const wallet = await es.create(Wallet, { walletId: 'a' });
      await wallet.credit(5);
      await wallet.move('b', 2);
      await es.projections.register(Receivers);
      await wallet.move('b', 1);
      await es.appendUnguarded('s', [moved('a', 'b', 1)]);
      const late = await trial.process(Senders, Receivers, Credited);
      expect((await late.projections.get(Senders, { from: 'a' }))?.sum).toBe(4);
      expect((await late.projections.get(Receivers, { to: 'b' }))?.sum).toBe(4);
    });

    it('finds at its next start what a process appended that was running before the class came', async () => {
      const running = await old();
      await trial.process(...wallets);
      await running.appendUnguarded('s', [credited('a', 5), credited('a', 6)]);
      const error = await rejection(trial.process(...wallets));
      expect((error as UntaggedEventsError).untagged).toMatchObject([{ class: 'Wallet', type: 'wallet.credited', count: 2 }]);
      expect(await retag(...wallets)).toBe(2);
      expect(await balanceOf(await trial.process(...wallets), 'a')).toBe(11);
    });

    it('does not miss a tag where an event belongs to no instance, and finds it under each of several', async () => {
      await (await old()).appendUnguarded('s', [createEvent(Shared, { members: [] })]);
      const es = await trial.process(Membership);
      await (await old()).appendUnguarded('s', [createEvent(Shared, { members: ['x', 'y', 'x'] })]);
      expect((await es.projections.get(Membership, { member: 'x' }))?.count).toBe(1);
      expect((await (await trial.process(Membership)).projections.get(Membership, { member: 'y' }))?.count).toBe(1);
    });

    it('is not misled by ids that look like tags', async () => {
      const ids = ['"from:x', '","from:x', '["from:x', 'from:', '\\","from:', '%_', "';--"];
      const receivers = await trial.process(Receivers);
      const running = await trial.process(Receivers);
      await running.appendUnguarded(
        's',
        ids.map((id) => moved('a', id)),
      );
      expect((await rejection(trial.process(Senders))) as UntaggedEventsError).toMatchObject({
        untagged: [{ property: 'from', count: ids.length }],
      });
      expect(await retag(Senders)).toBe(ids.length);
      expect((await (await trial.process(Senders)).projections.get(Senders, { from: 'a' }))?.sum).toBe(ids.length);
      for (const to of ids) expect((await receivers.projections.get(Receivers, { to }))?.sum).toBe(1);
    });

    it('names the event that does not say to whom it belongs', async () => {
      const store = await trial.store();
      await store.append([
        { stream: 's', guard: { version: 'any' }, events: [{ id: 'e', type: 'wallet.moved', data: { to: 'b' } }] },
      ]);
      const error = await rejection(retag(Senders));
      expect(error).toBeInstanceOf(UntaggableEventError);
      expect(error).toMatchObject({ type: 'wallet.moved', cause: expect.any(UnresolvedIdError) });
      expect((error as Error).message).toMatch(/^wallet\.moved e at position 1 cannot be tagged/);
    });

    describe('by a function of a class', () => {
      it('tags stored events by it', async () => {
        await (await old()).appendUnguarded('s', [moved('north', 'x'), moved('nest', 'x'), moved('south', 'x')]);
        expect((await rejection(trial.process(Region))) as UntaggedEventsError).toMatchObject({
          untagged: [{ class: 'Region', id: 'region', type: 'wallet.moved', property: 'Region.region()', count: 3 }],
        });
        expect(await retag(Region)).toBe(3);
        expect(await (await trial.process(Region)).load(Region, { region: 'n' })).toMatchObject({ moves: 2 });
      });

      it('refuses appends of these events where the class is not listed, and warns of that at the start', async () => {
        await trial.process(Region);
        const es = await old();
        expect(warnings.filter((text) => text.includes('Region.region()'))).toHaveLength(1);
        const error = await rejection(es.appendUnguarded('s', [credited('a', 1), moved('a', 'b')]));
        expect(error).toBeInstanceOf(UntaggableEventError);
        expect(error).toMatchObject({ type: 'wallet.moved' });
        expect(await trial.stored()).toStrictEqual([]);
        await es.appendUnguarded('s', [credited('a', 1)]);
        await (await trial.process(Region, Credited)).appendUnguarded('s', [moved('a', 'b')]);
      });

      it('accepts them again when the source was forgotten, as its class is gone', async () => {
        await trial.process(Region);
        await (await trial.store()).tagSources?.forget({ type: 'wallet.moved', property: 'Region.region()' });
        await (await old()).appendUnguarded('s', [moved('a', 'b')]);
        expect(await rejection(trial.process(Region))).toBeInstanceOf(UntaggedEventsError);
      });
    });

    it('refuses to register a live projection whose events lack tags, and registers it with retag: true', async () => {
      await (await old()).appendUnguarded('s', [moved('a', 'b', 7)]);
      const es = await trial.process(Moved);
      expect(await rejection(es.projections.register(Senders))).toBeInstanceOf(UntaggedEventsError);
      expect(await rejection(es.projections.get(Senders, { from: 'a' }))).toBeInstanceOf(NotRegisteredError);
      const willing = await EventSourcing.open({ store: await trial.store(), classes: [Moved], retag: true });
      await willing.projections.register(Senders);
      expect((await willing.projections.get(Senders, { from: 'a' }))?.sum).toBe(7);
      await willing.close();
    });

    it('forgets snapshots before it says that the events are tagged', async () => {
      await (await old()).appendUnguarded(
        's',
        range(700).map((n) => credited('a', n)),
      );
      const said: string[] = [];
      const sources = (await trial.store()).tagSources as TagSources;
      const { store } = watched(await trial.store(), {
        add: async (added) => {
          said.push('added');
          await sources.add(added);
        },
        record: async (coverages) => {
          if (coverages.length === 1) said.push('recorded');
          await sources.record(coverages);
        },
      });
      const snapshots = { clear: async () => said.push('forgotten') } as never;
      await EventSourcing.retag({ store: storeOver(store, { snapshots }), classes: wallets });
      expect(said.slice(0, 6)).toStrictEqual(['added', 'forgotten', 'recorded', 'added', 'forgotten', 'recorded']);
      expect(said.slice(6).every((what) => what === 'recorded')).toBe(true);
    });

    it('goes on where a run was broken off', async () => {
      await (await old()).appendUnguarded(
        's',
        range(2_300).map((n) => credited(`w${n % 7}`, 1)),
      );
      const sources = (await trial.store()).tagSources as TagSources;
      let pages = 0;
      const broken = watched(await trial.store(), {
        add: async (added) => {
          pages += 1;
          if (pages === 3) throw new Error('the power is gone');
          await sources.add(added);
        },
      });
      expect(await rejection(EventSourcing.retag({ store: broken.store, classes: wallets }))).toMatchObject({
        message: 'the power is gone',
      });
      const { events } = await (await trial.store()).page({}, { first: 1_000 }).then(({ items }) => ({ events: items }));
      expect((await rejection(trial.process(...wallets))) as UntaggedEventsError).toMatchObject({ untagged: [{ count: 1_300 }] });
      const { store, looks } = watched(await trial.store());
      expect(await EventSourcing.retag({ store, classes: wallets })).toBe(1_300);
      expect(looks.find(({ tagName }) => tagName === 'walletId')?.range.after).toBe(events.at(-1)?.position);
      const es = await trial.process(...wallets);
      for (const n of range(7)) expect(await balanceOf(es, `w${n}`)).toBe(range(2_300).filter((m) => m % 7 === n).length);
    });

    it('keeps the tags of both when two processes tag the same events at the same time', async () => {
      await (await old()).appendUnguarded(
        's',
        range(1_200).map((n) => moved(`f${n % 3}`, `t${n % 5}`)),
      );
      await Promise.all([retag(Senders), retag(Receivers), retag(Region), retag(Senders, Receivers)]);
      for (const [n, { tags }] of (await trial.stored()).entries())
        expect([...tags].sort()).toStrictEqual(['Region.region:f', `from:f${n % 3}`, `to:t${n % 5}`]);
      const es = await trial.process(Senders, Receivers, Region);
      expect((await es.projections.get(Senders, { from: 'f0' }))?.sum).toBe(400);
      expect((await es.projections.get(Receivers, { to: 't1' }))?.sum).toBe(240);
      expect((await es.load(Region, { region: 'f' })).moves).toBe(1_200);
    });

    it('tags thousands of events while others append', async () => {
      const running = await old();
      const many = 4_000;
      for (const from of range(10))
        await running.appendUnguarded(
          's',
          range(many / 10, from).map((n) => credited(`w${n % 2}`, 1)),
        );
      let isOver = false;
      let appended = 0;
      const appending = (async () => {
        while (!isOver) {
          await running.appendUnguarded(`s${appended % 3}`, [credited('w0', 1)]);
          appended += 1;
          await new Promise((turn) => setTimeout(turn, 2));
        }
      })();
      const count = await retag(...wallets);
      isOver = true;
      await appending;
      expect(count).toBeGreaterThanOrEqual(many);
      expect(appended).toBeGreaterThan(0);
      const rest = many + appended - count;
      if (rest > 0)
        expect((await rejection(trial.process(...wallets))) as UntaggedEventsError).toMatchObject({
          untagged: [{ count: rest }],
        });
      expect(await retag(...wallets)).toBe(rest);
      const es = await trial.process(...wallets);
      expect((await balanceOf(es, 'w0')) + (await balanceOf(es, 'w1'))).toBe(many + appended);
    });
  });
}
