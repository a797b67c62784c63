import { Event, Handles, Projection, ProjectionId, UnknownEventTypeError } from 'eventfold';
import { Added, AsyncTally, added, InlineTally } from '../controls/tally';
import { rejection, Tally, Wallet } from '../controls/wallets';
import { promise } from './stores';

/** An event that its class cannot always be made of again. */
@Event('promises.brittle')
class Brittle {
  id!: string;
  constructor() {
    throw new Error('cannot be made');
  }
}

@Projection()
class Brittles {
  @ProjectionId() id!: string;
  seen = 0;
  @Handles(Brittle)
  brittle() {
    this.seen += 1;
  }
}

promise('Nothing is skipped in silence: what cannot be read is an error that names type, id and position', (trial) => {
  const append = async (stream: string, type: string, data: object) => {
    const store = await trial.store();
    const { events } = await store.append([{ stream, guard: { version: 'any' }, events: [{ type, data }] }]);
    return { type, eventId: events[0]?.id, position: events[0]?.position };
  };

  it('an unknown type, to who follows all events', async () => {
    const es = await trial.process(Added);
    await es.appendUnguarded('s', [added('a', 1)]);
    const unknown = await append('s', 'unheard.of', {});
    const error = await new Promise((failed) => es.events().subscribe({ error: failed }));
    expect(error).toBeInstanceOf(UnknownEventTypeError);
    expect(error).toMatchObject(unknown);
  });

  it('an unknown type, in the stream of an aggregate', async () => {
    const es = await trial.process(Tally, Wallet);
    const tally = await es.create(Tally, { tallyId: 't' });
    await tally.count(1);
    const unknown = await append(es.streamOf(Tally, { tallyId: 't' }), 'unheard.of', {});
    expect(await rejection(es.load(Tally, { tallyId: 't' }))).toMatchObject(unknown);
    expect(await rejection(tally.count(1))).toMatchObject(unknown);
  });

  it('an unreadable payload, to a projection, which parks it', async () => {
    const es = await trial.process(Brittles);
    const { eventId, position } = await append('s', 'promises.brittle', { id: 'a' });
    await es.projections.caughtUp();
    expect(await es.projections.parked()).toMatchObject([{ event: { type: 'promises.brittle' }, error: { eventId, position } }]);
    await es.projections.retry(Brittles);
    expect(await es.projections.parked()).toHaveLength(1);
  });

  it('an event that names no instance, to a projection, which parks it', async () => {
    const es = await trial.process(AsyncTally, InlineTally);
    const { eventId } = await append('s', 'tally.added', { amount: 1 });
    await es.appendUnguarded('s', [added('a', 2)]);
    await es.projections.caughtUp();
    const parked = await es.projections.parked();
    expect(parked.map(({ projection, ids, error }) => [projection, ids, error.eventId])).toStrictEqual([
      ['AsyncTally', undefined, eventId],
      ['InlineTally', undefined, eventId],
    ]);
    expect((await es.projections.get(AsyncTally, { id: 'a' }))?.seen).toStrictEqual([2]);
  });
});
