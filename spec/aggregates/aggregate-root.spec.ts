import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsPositive, IsString, ValidateNested } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Command,
  createEvent,
  Event,
  type EventContext,
  EventSourcing,
  EventValidationError,
  ForeignEventError,
  HandlerError,
  Handles,
  InMemoryEventStore,
  InvalidIdError,
  InvalidPayloadError,
  MisplacedEmitError,
  ProjectionId,
  UnhandledEmitError,
  UnstorablePayloadError,
  uncommittedEvents,
  versionOf,
} from 'eventfold';
import { Counted, Credited, dataOf, Moved, openWallets, Refused, rejection, Tally, Wallet } from '../controls/wallets';

class Price {
  @IsPositive() cents!: number;
}

class Line {
  @IsString() product!: string;
  @ValidateNested() @Type(() => Price) price!: Price;
}

@Event('order.placed')
class Placed {
  @IsString() orderId!: string;
  @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
  @IsOptional() @IsInt() priority?: number;
}

@Event('order.noted')
class Noted {
  orderId!: string;
  at!: Date;
}

class Box {
  readonly things = new Map<string, number[]>();
}

@Aggregate()
class Order extends AggregateRoot<'orderId'> {
  @ProjectionId() readonly orderId!: string;
  lines: readonly Line[] = [];
  readonly tags = new Map<string, string[]>();
  readonly seen = new Set<string>();
  readonly box = new Box();
  readonly nested = { list: [{ n: 0 }], deep: { when: undefined as Date | undefined } };
  readonly isEmpty = () => this.lines.length === 0;

  @Command()
  async place(payload: unknown, thenRefuse = false) {
    this.emit(Placed, payload as { lines: Line[] });
    if (thenRefuse) throw new Refused('after all');
  }

  @Command()
  async note(at: Date, thenRefuse = false) {
    this.emit(Noted, { at });
    if (thenRefuse) throw new Refused('after all');
  }

  @Command()
  async emitAny(event: unknown, ...payload: unknown[]) {
    (this.emit as unknown as (...args: unknown[]) => void).call(this, event, ...payload);
  }

  @Command()
  async tryAndPlace(payload: unknown) {
    try {
      this.emit(Placed, payload as { lines: Line[] });
    } catch {
      this.emit(Placed, { lines: [] });
    }
  }

  emitLoose() {
    this.emit(Placed, { lines: [] });
  }

  @Handles(Placed)
  protected placed(event: Placed, context: EventContext) {
    this.lines = event.lines;
    this.tags.set('order', [...(this.tags.get('order') ?? []), context.type]);
    this.seen.add(context.id);
    this.box.things.set('a', [event.lines.length]);
    (this.nested.list[0] as { n: number }).n += 1;
    this.nested.list.push({ n: event.lines.length });
    (this as unknown as Record<string | symbol, unknown>)[`late${event.lines.length}`] = true;
    (this as unknown as Record<string | symbol, unknown>)[Symbol.for('late')] = true;
  }

  @Handles(Noted)
  protected noted(event: Noted) {
    this.nested.deep.when = event.at;
    event.at.setFullYear(1900);
  }
}

const line = (product: string, cents: number) => ({ product, price: { cents } });

async function openOrder() {
  const store = new InMemoryEventStore();
  const es = await EventSourcing.open({ store, classes: [Order] });
  return { es, store, order: await es.loadOrCreate(Order, { orderId: 'o' }) };
}

describe('emit', () => {
  it('fills the identity property from the instance', async () => {
    const { es, data } = await openWallets();
    await (await es.create(Tally, { tallyId: 'a' })).count(1);
    expect(await data()).toStrictEqual([createEvent(Counted, { tallyId: 'a', by: 1 })]);
  });

  it('fills it through the id map of the handler', () => {
    @Aggregate()
    class Sender extends AggregateRoot<'from'> {
      @ProjectionId() walletId = 'me';
      @Command() async send() {
        this.emit(Moved, { to: 'you', amount: 1 });
      }
      @Handles(Moved, { walletId: 'from' }) protected sent() {}
    }
    const sender = new Sender();
    sender.send();
    expect(uncommittedEvents(sender)).toStrictEqual([createEvent(Moved, { from: 'me', to: 'you', amount: 1 })]);
  });

  it('lets a value that the payload gives win, and refuses it when it is of another instance', async () => {
    const { order, store } = await openOrder();
    await order.place({ orderId: 'o', lines: [] });
    const error = await rejection(order.place({ orderId: 'p', lines: [] }));
    expect(error).toBeInstanceOf(ForeignEventError);
    expect((error as Error).message).toContain('"orderId":"o"');
    expect((error as Error).message).toContain('"orderId":"p"');
    expect(await dataOf(store)).toHaveLength(1);
  });

  it('refuses an event of an open aggregate that names others only', async () => {
    const { es, data } = await openWallets();
    const wallet = await es.create(Wallet, { walletId: 'a' });
    const emit = () =>
      es.transaction(() =>
        (wallet as unknown as { emit(...args: unknown[]): void }).emit(Moved, { from: 'b', to: 'c', amount: 1 }),
      );
    await expect(emit()).rejects.toBeInstanceOf(MisplacedEmitError);
    const inside = wallet.look(() =>
      (wallet as unknown as { emit(...args: unknown[]): void }).emit(Moved, { from: 'b', to: 'c', amount: 1 }),
    );
    await expect(inside).rejects.toBeInstanceOf(ForeignEventError);
    expect(await data()).toEqual([]);
  });

  it('refuses an event that the class does not handle, and what is no event', async () => {
    const { order, store } = await openOrder();
    for (const event of [Credited, class Plain {}, undefined, null, 5, 'order.placed', {}, () => undefined]) {
      const error = await rejection(order.emitAny(event, {}));
      expect(error).toBeInstanceOf(UnhandledEmitError);
      expect(error).toMatchObject({ type: 'Order' });
    }
    expect(await dataOf(store)).toEqual([]);
  });

  it('refuses the whole command when a rule is broken, naming class, property and rule', async () => {
    const { order, store } = await openOrder();
    const error = await rejection(
      order.place({ lines: [line('a', 5), line('b', -5), { product: 7, price: { cents: 0 } }], priority: 1.5 }),
    );
    expect(error).toBeInstanceOf(EventValidationError);
    expect(error).toMatchObject({ event: 'Placed' });
    expect((error as EventValidationError).violations.map(({ property, rule }) => `${property} ${rule}`)).toEqual([
      'lines[1].price.cents isPositive',
      'lines[2].product isString',
      'lines[2].price.cents isPositive',
      'priority isInt',
    ]);
    expect((error as Error).message).toMatch(/Placed.*cents must be a positive number/);
    expect(await dataOf(store)).toEqual([]);
    expect(order.lines).toEqual([]);
    await order.place({ lines: [line('a', 5)] });
    expect(order.lines).toHaveLength(1);
  });

  it('refuses the events before the one that breaks a rule, too', async () => {
    const { es, data } = await openWallets();
    const tally = await es.create(Tally, { tallyId: 'a' });
    const emit = tally as unknown as { emit(...args: unknown[]): void };
    await expect(
      tally.look(() => {
        emit.emit(Counted, { by: 1 });
        emit.emit(Counted, { by: 'x' });
      }),
    ).rejects.toBeInstanceOf(EventValidationError);
    expect(await data()).toEqual([]);
    expect(tally.total).toBe(0);
  });

  it('refuses the whole command for an event that was refused, though the command goes on', async () => {
    const { order, store } = await openOrder();
    await expect(order.tryAndPlace({ lines: [line('a', -1)] })).rejects.toBeInstanceOf(EventValidationError);
    expect(await dataOf(store)).toStrictEqual([]);
  });

  it('makes nested data instances of its types', async () => {
    const { order, es } = await openOrder();
    await order.place({ lines: [line('a', 5)] });
    for (const { lines } of [order, await es.load(Order, { orderId: 'o' })]) {
      expect(lines[0]).toBeInstanceOf(Line);
      expect(lines[0]?.price).toBeInstanceOf(Price);
    }
  });

  it('copies and freezes what it is given', async () => {
    const { order, store } = await openOrder();
    const given = { lines: [line('a', 5)] };
    await order.place(given);
    (given.lines[0] as { product: string }).product = 'changed';
    expect(order.lines[0]?.product).toBe('a');
    expect(() => Object.assign(order.lines[0] as object, { product: 'x' })).toThrow(TypeError);
    expect(await dataOf(store)).toMatchObject([{ lines: [{ product: 'a' }] }]);
  });

  it('stores what was emitted, whatever a handler does to a date of it', async () => {
    const { order, store } = await openOrder();
    await order.note(new Date('2001-01-01T00:00:00Z'));
    expect(await dataOf(store)).toStrictEqual([createEvent(Noted, { orderId: 'o', at: new Date('2001-01-01T00:00:00Z') })]);
    expect(order.nested.deep.when?.getFullYear()).toBe(1900);
  });

  it.each([
    ['NaN', { at: Number.NaN }],
    ['infinity', { at: Number.POSITIVE_INFINITY }],
    ['a function', { at: () => 1 }],
    ['a method', { at: 1, toString: () => 'x' }],
    ['a symbol', { at: Symbol('x') }],
    ['an invalid date', { at: new Date('x') }],
    ['a promise', { at: Promise.resolve(1) }],
    ['an error', { at: new Error('x') }],
    ['a URL', { at: new URL('http://x.y') }],
    ['a boxed number', { at: Object(1) }],
    ['NaN in a map', { at: new Map([['x', [Number.NaN]]]) }],
    ['a function in a set', { at: new Set([() => 1]) }],
  ])('refuses %s in a payload, says where, and stores nothing', async (_what, payload) => {
    const { order, store } = await openOrder();
    const error = await rejection(order.emitAny(Noted, payload));
    expect(error).toBeInstanceOf(UnstorablePayloadError);
    expect(error).toMatchObject({ type: 'order.noted' });
    expect((error as UnstorablePayloadError).path).toMatch(/^(at|toString)/);
    expect(await dataOf(store)).toEqual([]);
    await order.place({ lines: [] });
    expect(await dataOf(store)).toHaveLength(1);
  });

  it.each([null, 5, 'text', [], true, Symbol('x'), () => 1])('refuses %p for a payload', async (payload) => {
    const { order, store } = await openOrder();
    await expect(order.emitAny(Placed, payload)).rejects.toBeInstanceOf(InvalidPayloadError);
    expect(await dataOf(store)).toEqual([]);
  });

  it('refuses a cycle and a property named __proto__, at any depth', async () => {
    const { order, store } = await openOrder();
    const cyclic: Record<string, unknown> = { at: {} };
    (cyclic.at as Record<string, unknown>).back = cyclic.at;
    await expect(order.emitAny(Noted, cyclic)).rejects.toMatchObject({ code: 'UNSTORABLE_PAYLOAD', path: 'at.back' });
    await expect(order.emitAny(Noted, JSON.parse('{"at":1,"__proto__":{"x":1}}'))).rejects.toBeInstanceOf(InvalidPayloadError);
    await expect(order.emitAny(Noted, JSON.parse('{"at":{"__proto__":{"x":1}}}'))).rejects.toBeInstanceOf(UnstorablePayloadError);
    expect(await dataOf(store)).toEqual([]);
  });

  it('is refused outside of a command', async () => {
    const { order, store } = await openOrder();
    expect(() => order.emitLoose()).toThrow(MisplacedEmitError);
    expect(await dataOf(store)).toEqual([]);
  });

  it('gives the handler a context without a position, and says so', async () => {
    const contexts: EventContext[] = [];
    @Aggregate()
    class Curious extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      @Command() async count() {
        this.emit(Counted, { by: 1 });
      }
      @Handles(Counted) protected counted(_event: Counted, context: EventContext) {
        contexts.push(context);
      }
    }
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Curious], clock: () => new Date(0) });
    await (await es.create(Curious, { tallyId: 'a' })).count();
    const [context] = contexts;
    expect(context).toMatchObject({
      type: 'tally.counted',
      stream: 'Curious:a',
      version: 1,
      schemaVersion: 1,
      time: '1970-01-01T00:00:00.000Z',
    });
    expect(() => context?.position).toThrow(MisplacedEmitError);
  });
});

describe('the state of an instance', () => {
  it('is put back after a failed command, with maps, sets, arrays, nested and added properties', async () => {
    const { order } = await openOrder();
    await order.place({ lines: [line('a', 1)] });
    const before = structuredClone(dataIn(order));
    await expect(order.place({ lines: [line('a', 1), line('b', 2)] }, true)).rejects.toBeInstanceOf(Refused);
    expect(dataIn(order)).toEqual(before);
    expect(Object.keys(order)).not.toContain('late2');
    expect(order.box).toBeInstanceOf(Box);
    await order.place({ lines: [] });
    expect(order.tags.get('order')).toHaveLength(2);
  });

  it('is put back to its beginning when there is no history', async () => {
    const { order } = await openOrder();
    const before = structuredClone(dataIn(order));
    await expect(order.place({ lines: [line('a', 1)] }, true)).rejects.toBeInstanceOf(Refused);
    expect(dataIn(order)).toEqual(before);
    expect(Reflect.ownKeys(order)).not.toContain(Symbol.for('late'));
  });

  it('keeps functions in its fields bound to it', async () => {
    const { order } = await openOrder();
    await expect(order.place({ lines: [] }, true)).rejects.toBeInstanceOf(Refused);
    await order.place({ lines: [line('a', 1)] });
    expect(order.isEmpty()).toBe(false);
  });

  it('that cannot be put back is an error, and holds nobody else up', async () => {
    @Aggregate()
    class Frozen extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      total = 0;
      @Command() async count(by: number, thenRefuse = false) {
        this.emit(Counted, { by });
        if (thenRefuse) throw new Refused('after all');
      }
      @Handles(Counted) protected counted(event: Counted) {
        if (event.by === 13) Object.freeze(this);
        else this.total += event.by;
      }
    }
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Frozen] });
    const frozen = await es.create(Frozen, { tallyId: 'a' });
    await expect(frozen.count(13, true)).rejects.toBeInstanceOf(Refused);
    const fresh = await es.create(Frozen, { tallyId: 'a' });
    await fresh.count(2);
    expect(fresh.total).toBe(2);
  });
});

describe('uncommittedEvents', () => {
  it('lists what an instance made with new has emitted', async () => {
    const tally = Object.assign(new Tally(), { tallyId: 'a' });
    await tally.count(1);
    await tally.countTwice(2);
    expect(uncommittedEvents(tally)).toStrictEqual([1, 2, 2].map((by) => createEvent(Counted, { tallyId: 'a', by })));
    expect(tally.total).toBe(5);
    expect(versionOf(tally)).toBe(0);
  });

  it('is empty for an instance that has emitted nothing', () => {
    expect(uncommittedEvents(new Tally())).toEqual([]);
  });

  it('stores nothing, though a store is open for the class', async () => {
    const { data } = await openWallets();
    await Object.assign(new Tally(), { tallyId: 'a' }).count(1);
    expect(await data()).toEqual([]);
  });

  it('needs the ids on an instance made with new', async () => {
    await expect(new Tally().count(1)).rejects.toBeInstanceOf(InvalidIdError);
  });

  it('hands an event to each handler that it belongs to', async () => {
    const wallet = Object.assign(new Wallet(), { walletId: 'a' });
    await wallet.credit(10);
    await wallet.move('a', 3);
    await wallet.move('b', 4);
    expect(wallet.movements).toEqual([10, -3, 3, -4]);
  });

  it('checks what an instance made with new emits as any other', async () => {
    const tally = Object.assign(new Tally(), { tallyId: 'a' });
    await expect(tally.count(Number.NaN)).rejects.toBeInstanceOf(EventValidationError);
    await expect(tally.count('1' as never)).rejects.toBeInstanceOf(EventValidationError);
    expect(uncommittedEvents(tally)).toEqual([]);
  });

  it('lists those of the running command only, and none after it', async () => {
    const { es } = await openWallets();
    const tally = await es.create(Tally, { tallyId: 'a' });
    await tally.count(1);
    let during: readonly object[] = [];
    await expect(
      tally.countAndRefuse(2, () => {
        during = uncommittedEvents(tally);
      }),
    ).rejects.toBeInstanceOf(Refused);
    expect(during).toStrictEqual([createEvent(Counted, { tallyId: 'a', by: 2 })]);
    expect(uncommittedEvents(tally)).toEqual([]);
  });
});

describe('a handler that throws', () => {
  it('when its event is emitted refuses the command, also when that catches the error', async () => {
    @Aggregate()
    class Touchy extends AggregateRoot<'tallyId'> {
      @ProjectionId() tallyId!: string;
      total = 0;
      @Command() async count(by: number, catches = false) {
        try {
          this.emit(Counted, { by });
        } catch (error) {
          if (!catches) throw error;
        }
      }
      @Handles(Counted) protected counted(event: Counted) {
        this.total += event.by;
        if (event.by === 13) throw new Refused('unlucky');
      }
    }
    const store = new InMemoryEventStore();
    const es = await EventSourcing.open({ store, classes: [Touchy] });
    const touchy = await es.create(Touchy, { tallyId: 'a' });
    await touchy.count(1);
    for (const catches of [false, true]) {
      const error = await rejection(touchy.count(13, catches));
      expect(error).toBeInstanceOf(HandlerError);
      expect(error).toMatchObject({ member: 'Touchy.counted' });
      expect((error as Error).cause).toBeInstanceOf(Refused);
    }
    expect(await dataOf(store)).toHaveLength(1);
    await touchy.count(2);
    expect(touchy.total).toBe(3);
  });
});

/** The properties of an instance that hold data. */
function dataIn(order: Order): Record<string, unknown> {
  return Object.fromEntries(Object.entries(order).filter(([, value]) => typeof value !== 'function'));
}
