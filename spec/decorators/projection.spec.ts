import { type DecoratorError, Event, Handles, Projection, ProjectionId, Registry } from 'eventfold';
import { decoratorErrorOf } from './decorator-error-of';

@Event('account.opened')
class Opened {
  accountId!: string;
}

class BalanceBase {
  @ProjectionId() accountId!: string;

  @Handles(Opened)
  opened() {}
}

function refused(options: unknown): DecoratorError {
  return decoratorErrorOf(() => Projection(options as never));
}

describe('Projection', () => {
  it('records an async projection under the name of its class', () => {
    @Projection()
    class Balance extends BalanceBase {}
    expect(Registry.of([Balance]).projections()).toStrictEqual([
      {
        kind: 'projection',
        class: 'Balance',
        name: 'Balance',
        ids: ['accountId'],
        handlers: [{ class: 'Balance', method: 'opened', event: 'account.opened', ids: { accountId: 'accountId' } }],
        commands: [],
        mode: 'async',
      },
    ]);
  });

  it.each(['inline', 'async', 'live'] as const)('records the mode %p and a name', (mode) => {
    @Projection({ mode, name: 'bank.balance' })
    class Balance extends BalanceBase {}
    expect(Registry.of([Balance]).describe(Balance)).toMatchObject({ name: 'bank.balance', mode });
  });

  it('is not inherited', () => {
    @Projection()
    class Balance extends BalanceBase {}
    class SavingsBalance extends Balance {}
    expect(() => Registry.of([SavingsBalance])).toThrow(/SavingsBalance: it has no decorator/);
  });

  it.each([[''], ['bank:balance'], [3], [null]])('refuses %p as a name', (name) => {
    expect(refused({ name })).toMatchObject({ code: 'DECORATOR', decorator: '@Projection', place: 'its name' });
  });

  it.each([['later'], [''], [null], [true]])('refuses %p as a mode', (mode) => {
    const error = refused({ mode });
    expect(error).toMatchObject({ decorator: '@Projection', place: 'its options' });
    expect(error.message).toMatch(/Give 'inline', 'async' or 'live'/);
  });

  it.each([[0], [-1], [1.5], [Number.NaN], ['3']])('refuses %p attempts', (attempts) => {
    expect(refused({ retry: { attempts } }).message).toMatch(/attempts are not possible/);
  });

  it.each([[-1], [Number.NaN], [Number.POSITIVE_INFINITY], ['100']])('refuses a delay of %p', (delayMs) => {
    expect(refused({ retry: { attempts: 2, delayMs } }).message).toMatch(/a delay of .* is not possible/);
  });

  it.each(['inline', 'live'])('refuses a retry in mode %p, where no event is tried again', (mode) => {
    expect(refused({ mode, retry: { attempts: 3 } }).message).toMatch(/is not retried in mode/);
  });

  it('records when a live projection makes a snapshot', () => {
    @Projection({ mode: 'live', snapshot: { every: 10, revision: 'b' } })
    class Balance extends BalanceBase {}
    expect(Registry.of([Balance]).describe(Balance).snapshot).toStrictEqual({ every: 10, revision: 'b' });
  });

  it.each(['inline', 'async', undefined])('refuses a snapshot in mode %p, where the state is kept anyway', (mode) => {
    const error = refused({ ...(mode && { mode }), snapshot: { every: 10 } });
    expect(error).toMatchObject({ decorator: '@Projection', place: 'its options' });
    expect(error.message).toMatch(/Leave snapshot out, or use mode 'live'/);
  });

  it.each([[0], [-1], [1.5], ['3'], [undefined]])('refuses a snapshot every %p events', (every) => {
    expect(refused({ mode: 'live', snapshot: { every } }).message).toMatch(/a snapshot every .* events is not possible/);
  });

  it('refuses an unknown option, also of the retry', () => {
    expect(refused({ modes: 'live' }).message).toMatch(
      /"modes" is unknown\. Known options: name, mode, version, kind, reset, retry, maxParked, snapshot\.$/,
    );
    expect(refused({ retry: { times: 3 } }).message).toMatch(
      /"times" is unknown\. Known options: attempts, delayMs, maxDelayMs\.$/,
    );
  });

  it.each([[null], ['live'], [[]]])('refuses %p in the place of its options', (options) => {
    expect(refused(options).message).toMatch(/expected an object/);
    expect(decoratorErrorOf(() => Projection({ retry: options as never })).message).toMatch(/expected an object/);
  });

  it('refuses what is no class', () => {
    const decorate = Projection() as (...args: unknown[]) => void;
    expect(decoratorErrorOf(() => decorate(BalanceBase.prototype, 'opened', {})).message).toMatch(/this is no class/);
  });
});
