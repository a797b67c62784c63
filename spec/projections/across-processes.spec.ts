import {
  CaughtUpTimeoutError,
  ClosedError,
  createEvent,
  Event,
  EventSourcing,
  Handles,
  Projection,
  type ProjectionContext,
  ProjectionId,
} from 'eventfold';
import { filter, firstValueFrom, ReplaySubject, take, toArray } from 'rxjs';
import { kinds, Trial } from '../promises/stores';

@Event('inbox.sent')
class Sent {
  to!: string[];
  text!: string;
}

@Event('inbox.cleared')
class Cleared {
  id!: string;
}

@Event('inbox.spoiled')
class Spoiled {
  id!: string;
}

let isSpoiled = true;

@Projection({ name: 'Inbox' })
class Inbox {
  @ProjectionId() id!: string;
  texts: string[] = [];

  @Handles(Sent, { id: 'to' })
  sent({ text }: Sent) {
    this.texts.push(text);
  }

  @Handles(Cleared)
  cleared(_event: Cleared, context: ProjectionContext) {
    context.delete();
  }

  @Handles(Spoiled)
  spoiled() {
    if (isSpoiled) throw new Error('spoiled');
    this.texts.push('mended');
  }
}

const sent = (text: string, ...to: string[]) => createEvent(Sent, { to, text });

/** Only where several processes can share a place. */
for (const kind of kinds) {
  (kind.isMissing ? describe.skip : describe)(`Projections of several processes (${kind.name})`, () => {
    const trial = new Trial(kind);
    beforeAll(() => trial.prepare(), 60_000);
    beforeEach(() => {
      isSpoiled = true;
      return trial.begin();
    });
    afterEach(() => trial.end());
    afterAll(() => trial.drop());

    const append = (es: EventSourcing, ...events: object[]) => es.appendUnguarded('inboxes', events);

    /** Opens a process that reads, and runs no projections. */
    const reading = async (): Promise<EventSourcing> => {
      const es = await EventSourcing.open({ store: await trial.store(), classes: [Inbox], projections: { run: 'manual' } });
      return trial.adopt(es);
    };

    it('shows a reader elsewhere what an append gave him the position of', async () => {
      const worker = await trial.process(Inbox);
      const reader = await reading();
      for (let round = 0; round < 10; round += 1) {
        const result = await append(worker, sent(`round ${round}`, 'ann'));
        await reader.projections.caughtUp(Inbox, { position: String(result.position) });
        expect((await reader.projections.get(Inbox, { id: 'ann' }))?.texts.at(-1)).toBe(`round ${round}`);
        expect(worker.lastAppended).toBe(result.position);
      }
    });

    it('does not wait for events that do not concern the projection', async () => {
      const worker = await trial.process(Inbox);
      await append(worker, sent('one', 'ann'));
      await worker.projections.caughtUp(Inbox);
      await worker.projections.stop();
      const reader = await reading();
      const { position } = await (await trial.store()).append([
        { stream: 'other', guard: { version: 'any' }, events: [{ type: 'something.else', data: {} }] },
      ]);
      await reader.projections.caughtUp(Inbox, { position, timeoutMs: 10_000 });
    });

    it('ends with a time-out, or when it is closed, where nobody runs the projection', async () => {
      const reader = await reading();
      const result = await append(reader, sent('one', 'ann'));
      await expect(reader.projections.caughtUp(Inbox, { position: result, timeoutMs: 50 })).rejects.toThrow(CaughtUpTimeoutError);
      const waiting = reader.projections.caughtUp(Inbox, { position: result, timeoutMs: Number.POSITIVE_INFINITY });
      const outcome = expect(waiting).rejects.toThrow(ClosedError);
      await reader.close();
      await outcome;
    });

    it('shows a watcher elsewhere the instance now, then each change of it, also that it is gone', async () => {
      const worker = await trial.process(Inbox);
      await append(worker, sent('one', 'ann', 'bob'));
      await worker.projections.caughtUp(Inbox);
      const reader = await reading();
      const seen: (string[] | undefined)[] = [];
      const watching = reader.projections.watch(Inbox, { id: 'ann' }).subscribe((inbox) => seen.push(inbox?.texts));
      const until = async (count: number) => {
        while (seen.length < count) await turns();
      };
      await until(1);
      await append(worker, sent('two', 'ann'));
      await until(2);
      await append(worker, sent('three', 'bob'));
      await append(worker, createEvent(Cleared, { id: 'ann' }));
      await until(3);
      await append(worker, sent('four', 'ann'));
      await until(4);
      watching.unsubscribe();
      expect(seen).toStrictEqual([['one'], ['one', 'two'], undefined, ['four']]);
    });

    it('tells a listener elsewhere of each instance that changed', async () => {
      const worker = await trial.process(Inbox);
      const reader = await reading();
      const changes = new ReplaySubject<Inbox>();
      const listening = reader.projections.changes(Inbox).subscribe(changes);
      // The listener hears of what comes after it has begun: that is told by a first watcher.
      await firstValueFrom(reader.projections.watch(Inbox, { id: 'ann' }));
      const heard = async (count: number) => {
        const inboxes = await firstValueFrom(changes.pipe(take(count), toArray()));
        return inboxes.map(({ id, texts }) => [id, texts.join()]);
      };
      await append(worker, sent('one', 'ann', 'bob'));
      expect(await heard(2)).toStrictEqual([
        ['ann', 'one'],
        ['bob', 'one'],
      ]);
      await append(worker, sent('two', 'bob'));
      expect((await heard(3)).at(-1)).toStrictEqual(['bob', 'one,two']);
      listening.unsubscribe();
    });

    it('tells a watcher elsewhere when a parked event is retried, by a third process', async () => {
      const worker = await trial.process(Inbox);
      await append(worker, createEvent(Spoiled, { id: 'ann' }), sent('later', 'ann'));
      await worker.projections.caughtUp(Inbox);
      const reader = await reading();
      const shown = firstValueFrom(
        reader.projections.watch(Inbox, { id: 'ann' }).pipe(filter((inbox) => inbox?.texts.length === 2)),
      );
      expect(await reader.projections.parked(Inbox)).toMatchObject([{ ids: { id: 'ann' }, attempts: 1, waiting: 1 }]);
      isSpoiled = false;
      const third = await reading();
      await third.projections.retry(Inbox, { id: 'ann' });
      expect((await shown)?.texts).toStrictEqual(['mended', 'later']);
      expect(await worker.projections.parked()).toStrictEqual([]);
      await append(worker, sent('after', 'ann'));
      await worker.projections.caughtUp(Inbox);
      expect((await third.projections.get(Inbox, { id: 'ann' }))?.texts).toStrictEqual(['mended', 'later', 'after']);
    });

    it('hands a projection over at once when the process that runs it stops', async () => {
      const first = await trial.process(Inbox);
      await append(first, sent('one', 'ann'));
      await first.projections.caughtUp(Inbox);
      const second = await trial.process(Inbox);
      await first.projections.stop();
      const { position } = await append(first, sent('two', 'ann'));
      await second.projections.caughtUp(Inbox, { position, timeoutMs: 10_000 });
      expect((await second.projections.get(Inbox, { id: 'ann' }))?.texts).toStrictEqual(['one', 'two']);
    });
  });
}

/** The next turn but a few of the event loop. */
function turns(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
