import { IsPositive, Length } from 'class-validator';
import {
  createEvent,
  Event,
  EventSourcingError,
  EventValidationError,
  Handles,
  InvalidAppendError,
  NotRegisteredError,
  Projection,
  ProjectionId,
  UnresolvedIdError,
  UnstorablePayloadError,
} from 'eventfold';
import { added } from '../controls/tally';
import { rejection, Tally, Wallet } from '../controls/wallets';
import { promise } from './stores';

@Event('promises.ordered')
class Ordered {
  @Length(2, 5) code!: string;
  @IsPositive() count!: number;
  note?: unknown;
}

@Projection({ mode: 'live' })
class Orders {
  @ProjectionId() code!: string;
  @Handles(Ordered)
  ordered() {}
}

const ordered = (data: object) => Object.assign(new Ordered(), data);

promise('Bad input is refused before anything is stored, with the class, the property and the rule', (trial) => {
  afterEach(async () => {
    expect(await trial.stored()).toStrictEqual([]);
  });

  it('names every rule of class-validator that an appended event breaks', async () => {
    const es = await trial.process(Ordered);
    const error = await rejection(
      es.appendUnguarded('s', [ordered({ code: 'abc', count: 1 }), ordered({ code: 'x', count: 0 })]),
    );
    expect(error).toBeInstanceOf(EventValidationError);
    expect(error).toMatchObject({
      event: 'Ordered',
      violations: [
        { property: 'code', rule: 'isLength' },
        { property: 'count', rule: 'isPositive' },
      ],
    });
    expect(() => createEvent(Ordered, { code: 'x', count: 0 })).toThrow(EventValidationError);
  });

  it('names the rule that an emitted event breaks, and leaves the instance usable', async () => {
    const es = await trial.process(Wallet, Tally);
    const wallet = await es.create(Wallet, { walletId: 'w' });
    const error = await rejection(wallet.credit('much' as never));
    expect(error).toMatchObject({ event: 'Credited', violations: [{ property: 'amount', rule: 'isNumber' }] });
    expect(wallet.balance).toBe(0);
  });

  it.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['an infinity', Number.POSITIVE_INFINITY],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a promise', Promise.resolve()],
    ['an invalid date', new Date('x')],
    ['a cycle', [] as unknown[]],
  ])('names the path in a payload to what could not be stored: %s', async (_name, value) => {
    if (Array.isArray(value)) value.push(value);
    const es = await trial.process(Ordered);
    const error = await rejection(es.appendUnguarded('s', [ordered({ code: 'abc', count: 1, note: { deep: [value] } })]));
    expect(error).toBeInstanceOf(UnstorablePayloadError);
    expect(error).toMatchObject({ type: 'promises.ordered', path: expect.stringMatching(/^note\.deep\[0\]/) });
  });

  it('refuses an event of a class that is not registered, and a malformed append', async () => {
    const es = await trial.process(Ordered);
    expect(await rejection(es.appendUnguarded('s', [added('a', 1)]))).toBeInstanceOf(NotRegisteredError);
    expect(await rejection(es.appendUnguarded('s', [{ code: 'abc' }]))).toBeInstanceOf(NotRegisteredError);
    const store = await trial.store();
    for (const append of [
      {},
      { stream: '', events: [], guard: { version: 0 } },
      { stream: 's', events: [], guard: { version: -1 } },
    ])
      expect(await rejection(store.append([append as never]))).toBeInstanceOf(InvalidAppendError);
    expect(await rejection(es.append('s', [], { version: Number.NaN }))).toBeInstanceOf(EventSourcingError);
  });

  it('refuses an event that does not say to whom it belongs, where the store indexes it', async () => {
    @Event('promises.loose')
    class Loose {
      code?: string;
    }
    @Projection({ mode: 'live' })
    class Looses {
      @ProjectionId() code!: string;
      @Handles(Loose)
      loose() {}
    }
    const es = await trial.process(Looses, Orders);
    expect(await rejection(es.appendUnguarded('s', [new Loose()]))).toBeInstanceOf(UnresolvedIdError);
  });
});
