import { randomUUID } from 'node:crypto';
import { InMemoryEventStore } from 'eventfold';
import { compare } from './compare';

const count = 50_000;

class Deposited {
  constructor(
    readonly accountId: string,
    readonly amount: number,
  ) {}
}

interface HandRecord {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly version: number;
  readonly position: string;
  readonly time: string;
  readonly data: object;
}

/** What one would write without a framework: the same record, an array, and an index by stream. */
class ByHand {
  private readonly log: HandRecord[] = [];
  private readonly streams = new Map<string, HandRecord[]>();

  async append(stream: string, type: string, data: object): Promise<HandRecord> {
    const events = this.streams.get(stream) ?? [];
    const copy = Object.freeze(Object.assign(Object.create(Object.getPrototypeOf(data) as object), data) as object);
    const record = Object.freeze({
      id: randomUUID(),
      type,
      stream,
      version: events.length + 1,
      position: `p-${this.log.length + 1}`,
      time: new Date().toISOString(),
      data: copy,
    });
    this.log.push(record);
    events.push(record);
    this.streams.set(stream, events);
    return record;
  }
}

/** Appending one event after another to 100 streams in memory. */
export async function append(): Promise<void> {
  let store = new InMemoryEventStore();
  let byHand = new ByHand();
  const inputs = Array.from({ length: count }, (_, index) => new Deposited(`a${index % 100}`, index));
  await compare({
    name: 'append of one event, in memory',
    limit: 'pushing the same record to an array and a Map by hand',
    aim: 0.5,
    operations: count,
    ours: {
      prepare: () => {
        store = new InMemoryEventStore();
      },
      run: async () => {
        for (const data of inputs) {
          await store.append([{ stream: data.accountId, events: [{ type: 'deposited', data }], guard: { version: 'any' } }]);
        }
      },
    },
    byHand: {
      prepare: () => {
        byHand = new ByHand();
      },
      run: async () => {
        for (const data of inputs) await byHand.append(data.accountId, 'deposited', data);
      },
    },
  });
}
