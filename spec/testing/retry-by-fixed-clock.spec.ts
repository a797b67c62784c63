import { CaughtUpTimeoutError, createEvent, Event, EventSourcing, Handles, InMemoryEventStore, Reactor } from 'eventfold';
import { fixedClock } from 'eventfold/testing';

@Event('letter.written')
class Written {
  to!: string;
}

@Reactor({ from: 'start', retry: { attempts: 2, delayMs: 1_000 } })
class Post {
  static failures = 1;
  static sent: string[] = [];

  @Handles(Written)
  async written({ to }: Written) {
    if (Post.failures-- > 0) throw new Error('The office is closed.');
    Post.sent.push(to);
  }
}

it('A handler that threw is tried again when a fixed clock has moved on', async () => {
  const clock = fixedClock();
  const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Written, Post], clock });
  await es.appendUnguarded('letters', [createEvent(Written, { to: 'ann' })]);
  await expect(es.projections.caughtUp(Post, { timeoutMs: 500 })).rejects.toThrow(CaughtUpTimeoutError);
  expect(Post.sent).toStrictEqual([]);
  clock.advance(10_000);
  await es.projections.caughtUp(Post);
  expect(Post.sent).toStrictEqual(['ann']);
  await es.close();
});
