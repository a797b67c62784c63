import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsNumber, IsString } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Event,
  EventSourcing,
  type EventStore,
  Handles,
  InMemoryEventStore,
  ProjectionId,
  upcasts,
} from 'eventfold';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import { DataSource } from 'typeorm';
import { byProcessor } from './by-processor';

const count = 10_000;

/** One shape, at a version to which upcasters lead, which no stored event needs. */
@Event('plain', { version: 26 })
class Plain {
  @IsString() id!: string;
  @IsNumber() amount!: number;
  @IsString() text!: string;
}

/** The same shape, stored at the first of four versions. */
@Event('chained', { version: 4 })
class Chained {
  @IsString() id!: string;
  @IsNumber() amount!: number;
  @IsString() text!: string;
}

class Sum extends AggregateRoot<'id'> {
  @ProjectionId() readonly id!: string;
  total = 0;
}

@Aggregate()
class PlainSum extends Sum {
  @Handles(Plain)
  protected plain(event: Plain) {
    this.total += event.amount;
  }
}

@Aggregate()
class ChainedSum extends Sum {
  @Handles(Chained)
  protected chained(event: Chained) {
    this.total += event.amount;
  }
}

const versions = Array.from({ length: 25 }, (_, index) => index + 1);

/** Those of older versions and of older names of the very event that is read. */
const fifty = [
  ...versions.map((from) => upcasts(Plain, { from, to: from + 1 }, (data: object) => data)),
  ...versions.map((old) => upcasts(`plain.${old}`, { from: 1, to: 26, into: Plain }, (data: object) => data)),
];

const three = [1, 2, 3].map((from) =>
  upcasts(Chained, { from, to: from + 1 }, (data: { text: string }) => ({ ...data, text: `v${from}` })),
);

interface Place {
  readonly name: string;
  open(): Promise<EventStore>;
  drop(): Promise<void>;
}

/** Reading with upcasters that do not apply, and through a chain of three that do: by `es.events` and by loading an aggregate. */
export async function upcasting(): Promise<void> {
  for (const place of [inMemory(), await sqlite()]) {
    const plain = await filled(place, PlainSum, { type: 'plain', schemaVersion: 26 });
    const chained = await filled(place, ChainedSum, { type: 'chained', schemaVersion: 1 });
    const [none, beside, through] = [await opened(plain), await opened(plain, fifty), await opened(chained, three)];
    for (const [how, read] of [
      ['es.events', followed],
      ['es.load', loaded],
    ] as const) {
      const readPlain = () => read(none, PlainSum);
      const shared = { operations: count, byHand: readPlain };
      await byProcessor({
        ...shared,
        name: `${place.name}: ${how} of ${count} events beside 50 upcasters that do not apply`,
        limit: 'the same without upcasters',
        aim: 0.97,
        ours: () => read(beside, PlainSum),
      });
      await byProcessor({
        ...shared,
        name: `${place.name}: ${how} of ${count} events through a chain of three upcasters`,
        limit: 'events of the present version',
        aim: 0.5,
        ours: () => read(through, ChainedSum),
      });
    }
    for (const es of [none, beside, through]) await es.close();
    await place.drop();
  }
}

async function followed(es: EventSourcing): Promise<void> {
  let left = count;
  for await (const { data } of es.events()) {
    if ((data as Plain).id !== 'a') throw new Error('another event');
    left -= 1;
    if (left === 0) break;
  }
}

async function loaded(es: EventSourcing, target: typeof Sum): Promise<void> {
  const { total } = await es.load(target, { id: 'a' });
  if (total !== ((count - 1) * count) / 2) throw new Error(`The total is ${total}.`);
}

/** @returns stores on one place that holds nothing else, each for an `EventSourcing` of its own. */
async function filled(place: Place, target: typeof Sum, stored: { type: string; schemaVersion: number }) {
  const store = await place.open();
  const events = Array.from({ length: count }, (_, amount) => ({ ...stored, data: { id: 'a', amount, text: 'x' } }));
  await store.append([{ stream: `${target.name}:a`, guard: { version: 'any' }, events }]);
  return store;
}

function opened(store: EventStore, upcasters: readonly object[] = []): Promise<EventSourcing> {
  return EventSourcing.open({ store, classes: [PlainSum, ChainedSum], upcasters: [...(upcasters as [])] });
}

function inMemory(): Place {
  return { name: 'In memory', open: async () => new InMemoryEventStore(), drop: async () => undefined };
}

async function sqlite(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'eventfold-bench-'));
  const dataSources: DataSource[] = [];
  return {
    name: 'SQLite',
    open: async () => {
      const dataSource = new DataSource({
        type: 'better-sqlite3',
        driver: require('libsql'),
        database: join(folder, `${dataSources.length}.sqlite`),
        entities: eventStoreEntities('better-sqlite3'),
        synchronize: true,
      });
      dataSources.push(await dataSource.initialize());
      return new TypeOrmEventStore(dataSource);
    },
    drop: async () => {
      for (const dataSource of dataSources) await dataSource.destroy();
      rmSync(folder, { recursive: true });
    },
  };
}
