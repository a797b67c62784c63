import { Aggregate, AggregateRoot, Command, Event, EventSourcing, Handles, KeyTooLongError, ProjectionId } from 'eventfold';
import { problemOf } from 'eventfold/http';
import { describeDatabases, postgres, sqliteInMemory } from '../../controls/databases';

@Event('note.linked')
class Linked {
  from!: string;
  to!: string;
}

@Aggregate()
class Note extends AggregateRoot<'name'> {
  @ProjectionId() readonly name!: string;

  @Command()
  async link(to: string) {
    this.emit(Linked, { from: this.name, to });
  }

  @Handles(Linked, { name: 'from' })
  protected linked() {}

  @Handles(Linked, { name: 'to' })
  protected wasLinked() {}
}

describeDatabases(
  'An id that is longer than the database can index',
  (database) => {
    const long = 'é'.repeat(6_000);

    it.each([
      ['of the instance', long, 'short', 'stream'],
      ['of another that the event names', 'short', long, 'tag'],
    ])('is refused as input, and nothing is stored: %s', async (_, from, to, key) => {
      const place = await database.make();
      const store = await place.open();
      const es = await EventSourcing.open({ store, classes: [Note] });
      const note = await es.loadOrCreate(Note, { name: from });
      const refusal: unknown = await note.link(to).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(KeyTooLongError);
      expect(refusal).toMatchObject({ key });
      expect(problemOf(refusal)).toMatchObject({ status: 400, code: 'KEY_TOO_LONG', detail: 'An id is too long.' });
      expect(await store.head()).toBeUndefined();
      await es.close();
      await place.drop();
    });
  },
  [postgres, sqliteInMemory],
);
