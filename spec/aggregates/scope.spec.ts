import {
  Aggregate,
  AggregateRoot,
  Command,
  createEvent,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  ProjectionId,
} from 'eventfold';
import { filter, firstValueFrom } from 'rxjs';
import { Counted, openWallets, Tally } from '../controls/wallets';

async function opened() {
  const opening = await openWallets();
  const { es, store } = opening;
  const metadata = async () => {
    const found: unknown[] = [];
    for await (const event of store.read({})) found.push(event.metadata);
    return found;
  };
  return { ...opening, metadata, x: await es.create(Tally, { tallyId: 'x' }), y: await es.create(Tally, { tallyId: 'y' }) };
}

describe('es.withMetadata', () => {
  it('puts metadata on every event that is emitted or appended in it, beside that of an outer call', async () => {
    const { es, x, metadata } = await opened();
    await es.withMetadata({ actor: 'ann', tenant: 't' }, () =>
      es.withMetadata({ actor: 'bob' }, async () => {
        await x.count(1);
        await es.appendUnguarded('other', [createEvent(Counted, { tallyId: 'x', by: 1 })]).catch(() => undefined);
        await es.appendUnguarded('Tally:x', [createEvent(Counted, { tallyId: 'x', by: 1 })]);
      }),
    );
    await x.count(2);
    expect(await metadata()).toMatchObject([
      { actor: 'bob', tenant: 't' },
      { actor: 'bob', tenant: 't' },
      expect.not.objectContaining({ actor: expect.anything() }),
    ]);
  });

  it('holds within a transaction around it, and across await', async () => {
    const { es, x, y, metadata } = await opened();
    await es.transaction(async () => {
      await x.count(1);
      await es.withMetadata({ actor: 'ann' }, async () => {
        await Promise.resolve();
        await y.count(1);
      });
    });
    const [first, second] = (await metadata()) as Record<string, unknown>[];
    expect(first).not.toHaveProperty('actor');
    expect(second).toMatchObject({ actor: 'ann', correlationId: first?.correlationId });
  });

  it('returns what its work returns', async () => {
    const { es } = await opened();
    expect(es.withMetadata({}, () => 5)).toBe(5);
  });

  it('does not let what was given be changed afterwards', async () => {
    const { es, x, metadata } = await opened();
    const given = { who: { name: 'ann' } };
    await es.withMetadata(given, async () => {
      given.who.name = 'changed';
      await x.count(1);
    });
    expect(await metadata()).toMatchObject([{ who: { name: 'ann' } }]);
  });
});

describe('correlation and causation ids', () => {
  it('are shared by all events of a command, those of commands in it included', async () => {
    const { x, y, metadata } = await opened();
    await x.count(1, () => y.countTwice(2));
    await y.count(3);
    const [a, b, c, d] = (await metadata()) as Record<string, string>[];
    expect(a).toEqual(b);
    expect(a).toEqual(c);
    expect(a?.causationId).toBe(a?.correlationId);
    expect(d?.correlationId).not.toBe(a?.correlationId);
  });

  it('are kept when they are given', async () => {
    const { es, x, metadata } = await opened();
    await es.withMetadata({ correlationId: 'request-1' }, () => x.count(1));
    await es.withMetadata({ correlationId: 'request-2', causationId: 'job-3' }, () => x.count(1));
    const [first, second] = await metadata();
    expect(first).toMatchObject({ correlationId: 'request-1', causationId: expect.stringMatching(/^id-/) });
    expect(second).toEqual({ correlationId: 'request-2', causationId: 'job-3' });
  });

  it('name the event in causedBy', async () => {
    const { es, store, x, y, metadata } = await opened();
    await es.withMetadata({ correlationId: 'request-1' }, () => x.count(1));
    for await (const event of store.read({})) await es.causedBy(event, () => y.count(2));
    for await (const event of store.read({ stream: 'Tally:x' }))
      expect((await metadata())[1]).toEqual({ correlationId: 'request-1', causationId: event.id });
  });

  it('begin with the event where it has no correlation id', async () => {
    const { es, store, y, metadata } = await opened();
    await store.append([
      { stream: 's', guard: { version: 'none' }, events: [{ id: 'e-1', type: 'tally.counted', data: { tallyId: 'z', by: 1 } }] },
    ]);
    for await (const event of store.read({})) await es.causedBy(event, () => y.count(2));
    expect((await metadata())[1]).toEqual({ correlationId: 'e-1', causationId: 'e-1' });
  });

  it('are carried on by a command that a subscriber of es.events calls', async () => {
    const { es, store, x, y, metadata } = await opened();
    const done = firstValueFrom(es.events({ types: [Counted] }).pipe(filter(({ data }) => data.tallyId === 'y')));
    es.events({ types: [Counted] }).subscribe((event) => {
      if (event.data.tallyId === 'x') void y.count(event.data.by);
    });
    await es.withMetadata({ correlationId: 'request-1', actor: 'ann' }, () => x.count(1));
    await done;
    const ids: string[] = [];
    for await (const { id } of store.read({})) ids.push(id);
    expect((await metadata())[1]).toEqual({ correlationId: 'request-1', causationId: ids[0] });
    await es.close();
  });

  it('are those of a subscriber by itself, though it subscribed in a transaction', async () => {
    const { es, x, y, data } = await opened();
    const done = firstValueFrom(es.events({ types: [Counted] }).pipe(filter(({ data: { tallyId } }) => tallyId === 'y')));
    const failing = es.transaction(async () => {
      es.events({ types: [Counted] }).subscribe((event) => {
        if (event.data.tallyId === 'x') void y.count(event.data.by);
      });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await x.count(1);
    await done;
    expect(await data()).toHaveLength(2);
    await es.close();
  });
});

describe('two EventSourcings', () => {
  it('may be used within one another, each with its own metadata', async () => {
    const [outer, inner] = [await opened(), await opened()];
    await outer.es.withMetadata({ actor: 'ann' }, () =>
      inner.es.withMetadata({ actor: 'bob' }, () =>
        outer.es.withMetadata({ reason: 'r' }, async () => {
          await outer.x.count(1, () => inner.x.count(1, () => outer.y.count(2)));
          await inner.y.count(2);
        }),
      ),
    );
    const expected = (metadata: object) => expect.objectContaining(metadata);
    expect(await outer.metadata()).toEqual([expected({ actor: 'ann', reason: 'r' }), expected({ actor: 'ann', reason: 'r' })]);
    const metadata = (await inner.metadata()) as object[];
    expect(metadata).toEqual([expected({ actor: 'bob' }), expected({ actor: 'bob' })]);
    for (const each of metadata) expect(each).not.toHaveProperty('reason');
  });

  it('do not share a transaction or metadata', async () => {
    @Aggregate()
    class Other extends AggregateRoot<'tallyId'> {
      @ProjectionId() readonly tallyId!: string;
      @Command() async count() {
        this.emit(Counted, { by: 1 });
      }
      @Handles(Counted) protected counted() {}
    }
    const { es, x, data } = await opened();
    const store = new InMemoryEventStore();
    const second = await EventSourcing.open({ store, classes: [Other] });
    const other = await second.create(Other, { tallyId: 'o' });
    const failing = es.withMetadata({ actor: 'ann' }, () =>
      es.transaction(async () => {
        await x.count(1);
        await other.count();
        throw new Error('no');
      }),
    );
    await expect(failing).rejects.toThrow('no');
    expect(await data()).toEqual([]);
    for await (const { metadata } of store.read({})) expect(metadata).not.toHaveProperty('actor');
    expect(await store.head()).toBeDefined();
  });
});
