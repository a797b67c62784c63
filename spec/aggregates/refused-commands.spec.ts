import { IsPositive } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Command,
  Event,
  EventSourcing,
  EventValidationError,
  Handles,
  InMemoryEventStore,
  ProjectionId,
  UnstorablePayloadError,
} from 'eventfold';

@Event('poured')
class Poured {
  glassId!: string;
  @IsPositive() amount!: number;
  note?: object;
}

@Aggregate()
class Glass extends AggregateRoot<'glassId'> {
  @ProjectionId() readonly glassId!: string;
  content = 0;

  @Command()
  async pour(amount: number, note?: object) {
    this.emit(Poured, note === undefined ? { amount } : { amount, note });
  }

  @Command()
  async spill() {
    this.content = -1;
    throw new Error('spilt');
  }

  @Command()
  async pourBoldly(amount: number) {
    this.emit(Poured, { amount });
    try {
      this.emit(Poured, { amount: -amount });
    } catch {
      // As if nothing had happened.
    }
  }

  @Handles(Poured)
  protected poured(event: Poured) {
    this.content += event.amount;
  }
}

async function filled() {
  const store = new InMemoryEventStore();
  const es = await EventSourcing.open({ store, classes: [Glass] });
  const glass = await es.create(Glass, { glassId: 'g' });
  await glass.pour(2);
  return { es, store, glass };
}

describe('a refused command', () => {
  it('leaves the state as it was, also where it changed it before anything was emitted', async () => {
    const { es, glass } = await filled();
    await expect(glass.spill()).rejects.toThrow('spilt');
    expect(glass.content).toBe(2);
    await glass.pour(1);
    expect(glass.content).toBe(3);
    expect((await es.load(Glass, { glassId: 'g' })).content).toBe(3);
  });

  it('is refused as a whole by one bad event, even if the error is caught', async () => {
    const { store, glass } = await filled();
    const before = await store.head();
    await expect(glass.pourBoldly(5)).rejects.toBeInstanceOf(EventValidationError);
    expect(await store.head()).toBe(before);
    expect(glass.content).toBe(2);
  });

  it('says so when data is nested too deeply, or cannot be read', async () => {
    const { store, glass } = await filled();
    const before = await store.head();
    let deep: object = {};
    for (let level = 0; level < 20_000; level += 1) deep = { deep };
    const unreadable = {
      get secret() {
        throw new Error('mine');
      },
    };
    for (const note of [deep, unreadable]) {
      const error = await glass.pour(1, note).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UnstorablePayloadError);
      expect((error as UnstorablePayloadError).type).toBe('poured');
    }
    expect(await store.head()).toBe(before);
    await glass.pour(1);
    expect(glass.content).toBe(3);
  });
});
