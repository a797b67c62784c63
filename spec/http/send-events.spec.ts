import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { EventSourcing, InMemoryEventStore, InvalidArgumentError } from 'eventfold';
import { type SendEventsOptions, type ServerSentEvent, sendEvents, serverSentUpdates } from 'eventfold/http';
import { defer, finalize, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { Account, AccountBalance } from '../../samples/bank/account';
import { placeOver } from '../controls/place-over';
import { storeOver } from '../controls/store-over';
import { messagesOf, next, serve, type WebServer } from '../controls/web-servers';

describe('sendEvents', () => {
  let events: Observable<ServerSentEvent>;
  let options: SendEventsOptions;
  let over: Promise<void> | undefined;
  let web: WebServer;

  beforeEach(async () => {
    options = {};
    web = await serve((_request, response) => {
      over = sendEvents(events, response, options);
    });
  });

  afterEach(() => web.close());

  it('sends what there is, then ends', async () => {
    events = of({ id: '1', data: { text: 'two\nlines', big: 7n } }, { id: '2' }, { event: 'gone', data: null });
    const response = await fetch(web.url);
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(await response.text()).toBe(
      'retry: 3000\n\nid: 1\ndata: {"text":"two\\nlines","big":"7"}\n\nid: 2\n\nevent: gone\ndata: null\n\n',
    );
  });

  it('lets nobody write fields of his own', async () => {
    events = of({ id: '1\ndata: mine', event: 'a\r\ndata: mine', data: '\ndata: mine' });
    expect((await (await fetch(web.url)).text()).split('\n').filter((line) => line.startsWith('data: mine'))).toStrictEqual([]);
  });

  it('unsubscribes when the client leaves', async () => {
    let subscribers = 0;
    const left = new Promise<void>((resolve) => {
      events = new Observable((subscriber) => {
        subscribers += 1;
        subscriber.next({ data: 1 });
        return () => {
          subscribers -= 1;
          resolve();
        };
      });
    });
    const gone = new AbortController();
    await next(messagesOf(await fetch(web.url, { signal: gone.signal })));
    expect(subscribers).toBe(1);
    gone.abort();
    await left;
    await over;
    expect(subscribers).toBe(0);
  });

  it('leaves nothing behind in a projection that clients watched', async () => {
    const store = new InMemoryEventStore();
    let followers = 0;
    const progressed = () =>
      defer(() => {
        followers += 1;
        return store.projections.progressed().pipe(finalize(() => (followers -= 1)));
      });
    const projections = placeOver(store.projections, { progressed });
    const es = await EventSourcing.open({ store: storeOver(store, { projections }), classes: [Account, AccountBalance] });
    const before = followers;
    const all: Promise<void>[] = [];
    const live = await serve((_request, response) => {
      all.push(sendEvents(serverSentUpdates(es, AccountBalance, { ids: { accountId: 'a' } }), response));
    });
    const clients = Array.from({ length: 20 }, () => new AbortController());
    for (const { signal } of clients) await next(messagesOf(await fetch(live.url, { signal })));
    expect(followers).toBeGreaterThan(before);
    for (const client of clients) client.abort();
    await Promise.all(all);
    expect(followers).toBe(before);
    await live.close();
    await es.close();
  });

  it('does not subscribe for a client that is gone already', async () => {
    let subscribers = 0;
    events = new Observable(() => {
      subscribers += 1;
    });
    const late = await serve(async (_request, response) => {
      response.destroy();
      await once(response, 'close');
      over = sendEvents(events, response);
    });
    await expect(fetch(late.url)).rejects.toThrow('fetch failed');
    await over;
    expect(subscribers).toBe(0);
    await late.close();
  });

  it('sends the head alone to who asks for no more, and does not subscribe', async () => {
    events = new Observable(() => {
      throw new Error('subscribed');
    });
    const response = await fetch(web.url, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toStrictEqual([200, 'text/event-stream; charset=utf-8']);
    await over;
  });

  it('sends comments while nothing happens', async () => {
    events = NEVER;
    options = { heartbeatMs: 5 };
    const { body } = await fetch(web.url);
    let text = '';
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (text.endsWith(': \n\n: \n\n')) break;
    }
    await over;
  });

  it('tells of an error what a client may know, and ends', async () => {
    events = throwError(() => new Error('SELECT secret'));
    expect(await (await fetch(web.url)).text()).toBe(
      'retry: 3000\n\nevent: problem\ndata: {"type":"about:blank","title":"Internal Server Error","status":500}\n\n',
    );
  });

  describe('to a client that takes nothing', () => {
    let subject: Subject<ServerSentEvent>;
    let socket: Socket;
    const text = 'x'.repeat(100_000);

    beforeEach(async () => {
      subject = new Subject();
      events = subject;
      options = { maxPending: 50 };
      socket = connectSocket(Number(new URL(web.url).port), '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      await once(socket, 'readable');
      socket.pause();
    });

    afterEach(() => socket.destroy());

    it('keeps the newest message of each key, and sends these in order when it goes on', async () => {
      for (let number = 1; number <= 2_000; number += 1)
        subject.next({ id: String(number), key: String(number % 7), data: text });
      subject.complete();
      let received = '';
      await new Promise<void>((resolve) => {
        socket.on('data', (chunk) => {
          received += chunk.toString();
          if (received.endsWith('\r\n0\r\n\r\n')) resolve();
        });
        socket.resume();
      });
      await over;
      const ids = [...received.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
      expect(ids.slice(-7)).toStrictEqual([1994, 1995, 1996, 1997, 1998, 1999, 2000]);
      expect(ids).toStrictEqual([...ids].sort((a, b) => a - b));
      expect(ids.length).toBeLessThan(1_000);
    });

    it.each(['completes', 'fails', 'is aborted'])('does not wait for it for ever when the stream %s', async (how) => {
      const stop = new AbortController();
      const stuck = await serve((_request, response) => {
        over = sendEvents(subject, response, { heartbeatMs: 20, signal: stop.signal });
      });
      const client = connectSocket(Number(new URL(stuck.url).port), '127.0.0.1');
      client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      await once(client, 'readable');
      client.pause();
      for (let number = 1; number <= 100; number += 1) subject.next({ id: String(number), data: text });
      if (how === 'completes') subject.complete();
      else if (how === 'fails') subject.error(new Error('SELECT secret'));
      else stop.abort();
      await over;
      client.destroy();
      await stuck.close();
    });

    it('cuts the connection when more waits than may', async () => {
      for (let number = 1; number <= 2_000; number += 1) subject.next({ id: String(number), data: text });
      await over;
      expect(subject.observed).toBe(false);
    });
  });

  it('refuses options that are not possible, and sends nothing', async () => {
    const response = {} as never;
    await expect(sendEvents(NEVER, response, { heartbeatMs: 0 })).rejects.toThrow(InvalidArgumentError);
    await expect(sendEvents(NEVER, response, { maxPending: '5' as never })).rejects.toThrow(InvalidArgumentError);
    await expect(sendEvents(NEVER, response, { retry: 5 } as never)).rejects.toThrow('knows no option "retry"');
  });
});
