import { randomUUID } from 'node:crypto';
import {
  type Class,
  createEvent,
  EventSourcing,
  type EventStore,
  Handles,
  InMemoryEventStore,
  InvalidIdError,
  Projection,
  ProjectionId,
} from 'eventfold';
import { type SendEventsOptions, type ServerSentUpdatesOptions, sendEvents, serverSentUpdates } from 'eventfold/http';
import { firstValueFrom, type Observable } from 'rxjs';
import { Account, AccountBalance, Deposited, Transferred } from '../../samples/bank/account';
import { type Message, messagesOf, next, serve, type WebServer } from '../controls/web-servers';

@Projection({ mode: 'live' })
class LiveBalance {
  @ProjectionId() accountId!: string;
  balance = 0;

  @Handles(Deposited)
  deposited({ amount }: Deposited) {
    this.balance += amount;
  }

  @Handles(Transferred, { accountId: 'from' })
  sent({ amount }: Transferred) {
    this.balance -= amount;
  }

  @Handles(Transferred, { accountId: 'to' })
  received({ amount }: Transferred) {
    this.balance += amount;
  }
}

type Balance = { accountId: string; balance: number };

describe.each<[string, Class<Balance>]>([
  ['kept', AccountBalance],
  ['live', LiveBalance],
])('serverSentUpdates (%s)', (_name, target) => {
  let store: EventStore;
  let es: EventSourcing;
  let web: WebServer;
  let options: ServerSentUpdatesOptions<Balance>;
  let sending: SendEventsOptions;
  let over: Promise<void>[];
  const leave: (() => void)[] = [];
  const ann = randomUUID();
  const bob = randomUUID();

  beforeEach(async () => {
    store = new InMemoryEventStore();
    es = await EventSourcing.open({ store, classes: [Account, AccountBalance, LiveBalance] });
    options = {};
    sending = {};
    over = [];
    web = await serve((request, response) => {
      const lastEventId = request.headers['last-event-id'];
      const updates = serverSentUpdates(es, target, { ...options, lastEventId });
      over.push(sendEvents(updates, response, sending));
    });
    for (const accountId of [ann, bob]) await (await es.create(Account, { accountId })).deposit(100);
    await es.projections.caughtUp();
  });

  afterEach(async () => {
    for (const go of leave.splice(0)) go();
    await web.close();
    await es.close();
    await Promise.all(over);
  });

  const connect = async (lastEventId?: string) => {
    const gone = new AbortController();
    leave.push(() => gone.abort());
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const response = await fetch(web.url, { headers, signal: gone.signal });
    return { response, messages: messagesOf(response), leave: () => gone.abort() };
  };
  const deposit = async (accountId: string, amount: number) => (await es.load(Account, { accountId })).deposit(amount);
  const balanceIn = ({ data }: Message) => data && { [(data as Balance).accountId]: (data as Balance).balance };

  it('tells one instance as it is, then after every change, with positions as ids', async () => {
    options = { ids: { accountId: ann } };
    const { response, messages } = await connect();
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(balanceIn(await next(messages))).toStrictEqual({ [ann]: 100 });
    await deposit(bob, 1);
    await deposit(ann, 5);
    const { id, ...message } = await next(messages);
    expect(balanceIn(message)).toStrictEqual({ [ann]: 105 });
    expect(id).toBe(await store.head());
  });

  it('tells who connects again the newest state, and waits for what the client has seen already', async () => {
    options = { ids: { accountId: ann } };
    const first = await connect();
    await next(first.messages);
    first.leave();
    await deposit(ann, 5);
    const second = await connect(es.lastAppended);
    expect(balanceIn(await next(second.messages))).toStrictEqual({ [ann]: 105 });
  });

  it('tells null for an instance that is not there', async () => {
    options = { ids: { accountId: randomUUID() } };
    expect((await next((await connect()).messages)).data).toBeNull();
  });

  it('tells each instance that changed while a client was away, and goes on', async () => {
    const first = await connect();
    const { id } = await next(first.messages);
    expect(id).toBe(await store.head());
    first.leave();
    await (await es.load(Account, { accountId: ann })).transfer(bob, 10);
    await deposit(ann, 1);
    const { messages } = await connect(id);
    expect(await next(messages)).toStrictEqual({ id });
    const told: Record<string, number> = {};
    let last: Message;
    do {
      last = await next(messages);
      Object.assign(told, balanceIn(last));
    } while (last.id !== es.lastAppended);
    expect(told).toStrictEqual({ [ann]: 91, [bob]: 110 });
    await deposit(bob, 1);
    expect(balanceIn(await next(messages))).toStrictEqual({ [bob]: 111 });
  });

  it('misses no change however often, and wherever, the connection breaks', async () => {
    let id = (await next((await connect()).messages)).id as string;
    for (const go of leave.splice(0)) go();
    const seen: Record<string, number> = { [ann]: 100, [bob]: 100 };
    for (let round = 1; round <= 12; round += 1) {
      await (await es.load(Account, { accountId: ann })).transfer(bob, 1);
      if (round % 3 === 0) await deposit(ann, 2);
      const { messages, leave: go } = await connect(id);
      await next(messages);
      // Breaks off in the middle of what is to be told.
      for (let count = 0; count <= round % 2; count += 1) {
        const message = await next(messages);
        Object.assign(seen, balanceIn(message));
        id = message.id as string;
      }
      go();
    }
    const { messages } = await connect(id);
    let last = await next(messages);
    while (last.id !== es.lastAppended) {
      last = await next(messages);
      Object.assign(seen, balanceIn(last));
    }
    expect(seen).toStrictEqual({ [ann]: 96, [bob]: 112 });
  });

  it('tells who was away for too long, or comes from another store, to read anew', async () => {
    const first = await connect();
    const { id } = await next(first.messages);
    first.leave();
    await Promise.all(over);
    const batch = Array.from({ length: 1_001 }, () => createEvent(Deposited, { accountId: bob, amount: 1 }));
    await es.appendUnguarded('imported', batch);
    await es.projections.caughtUp();
    for (const lastEventId of [id, 'm00000000-7', "1' OR 1=1", 'x'.repeat(2_000)]) {
      const { messages } = await connect(lastEventId);
      expect(await next(messages)).toStrictEqual({ id: es.lastAppended, event: 'reset', data: null });
    }
  });

  it('believes no edition that an id makes up', async () => {
    const { id } = await next((await connect()).messages);
    for (const made of ['2', '1.made-up', '__proto__']) {
      const { messages } = await connect(`${id}~${made}`);
      const expected = target === LiveBalance ? { id } : { id, event: 'reset', data: null };
      expect(await next(messages)).toStrictEqual(expected);
    }
  });

  it('shows what it is told to show', async () => {
    options = { show: ({ accountId, balance }) => (accountId === ann ? undefined : { total: BigInt(balance) }) };
    const { messages } = await connect();
    await next(messages);
    await deposit(ann, 5);
    await deposit(bob, 5);
    expect((await next(messages)).data).toStrictEqual({ total: '105' });
  });

  it('ends when the EventSourcing closes, or the server wants to', async () => {
    const stop = new AbortController();
    sending = { signal: stop.signal };
    const first = await connect();
    await next(first.messages);
    stop.abort();
    expect(await first.messages.next()).toMatchObject({ done: true });
    sending = {};
    const second = await connect();
    await next(second.messages);
    await es.close();
    expect(await second.messages.next()).toMatchObject({ done: true });
    await Promise.all(over);
  });

  it('refuses ids that are none before anything is sent', () => {
    const ids = { accountId: { not: 'text' } } as unknown as Balance;
    expect((): Observable<unknown> => serverSentUpdates(es, target, { ids })).toThrow(InvalidIdError);
  });
});

@Projection()
class Rebuilt {
  @ProjectionId() accountId!: string;
  balance = 0;

  @Handles(Deposited)
  deposited({ amount }: Deposited) {
    this.balance += amount;
  }
}

it('tells a browser that was away during a rebuild to read anew, once', async () => {
  const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Rebuilt] });
  await es.appendUnguarded('imported', [createEvent(Deposited, { accountId: randomUUID(), amount: 1 })]);
  await es.projections.caughtUp();
  const begun = (lastEventId?: string) => firstValueFrom(serverSentUpdates(es, Rebuilt, { lastEventId }));
  const { id } = await begun();
  expect(id).toBe(es.lastAppended);
  await es.projections.rebuild(Rebuilt);
  const { id: idAnew, ...message } = await begun(id);
  expect(message).toStrictEqual({ event: 'reset', data: null });
  expect(idAnew).toBe(`${id}~2`);
  expect(await begun(idAnew)).toStrictEqual({ id: idAnew });
  await es.close();
});
