import { Aggregate, AggregateRoot, type DecoratorError, Event, Handles, ProjectionId, Registry } from 'eventfold';
import { decoratorErrorOf } from './decorator-error-of';

@Event('account.opened')
class Opened {
  accountId!: string;
}

@Event('account.noted')
class Noted {
  accountId!: string;
}

abstract class AccountBase extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;

  @Handles(Opened)
  protected opened() {}
}

function refused(options: unknown): DecoratorError {
  return decoratorErrorOf(() => Aggregate(options as never));
}

describe('Aggregate', () => {
  it('records an aggregate under the name of its class', () => {
    @Aggregate()
    class Account extends AccountBase {}
    expect(Registry.of([Account]).describe(Account)).toStrictEqual({
      kind: 'aggregate',
      class: 'Account',
      name: 'Account',
      ids: ['accountId'],
      handlers: [{ class: 'Account', method: 'opened', event: 'account.opened', ids: { accountId: 'accountId' } }],
      commands: [],
      guard: 'stream',
      sharedWith: {},
    });
  });

  it('keeps its streams under a given name', () => {
    @Aggregate({ name: 'bank.account' })
    class Account extends AccountBase {}
    const registry = Registry.of([Account]);
    expect(registry.describe(Account)).toMatchObject({ class: 'Account', name: 'bank.account' });
    expect(registry.boundaryOf(Account, { accountId: 'a' }).stream).toBe('bank.account:a');
  });

  it("is guarded by its boundary when asked for, with guard 'boundary'", () => {
    @Aggregate({ guard: 'boundary' })
    class Account extends AccountBase {}
    const registry = Registry.of([Account]);
    expect(registry.describe(Account).guard).toBe('boundary');
    expect(registry.boundaryOf(Account, { accountId: 'a' }).stream).toBeUndefined();
  });

  it('makes the events that it ignores known', () => {
    @Aggregate({ strict: true, ignores: [Noted] })
    class Account extends AccountBase {}
    expect(
      Registry.of([Account])
        .events()
        .map(({ type, handledBy }) => [type, handledBy]),
    ).toStrictEqual([
      ['account.noted', []],
      ['account.opened', ['Account']],
    ]);
  });

  it('is not inherited', () => {
    @Aggregate()
    class Account extends AccountBase {}
    class Savings extends Account {}
    expect(() => Registry.of([Savings])).toThrow(/Savings: it has no decorator/);
  });

  it.each([[''], ['bank:account'], ['\n'], [3], [null]])('refuses %p as a name', (name) => {
    expect(refused({ name })).toMatchObject({ code: 'DECORATOR', decorator: '@Aggregate', place: 'its name' });
  });

  it.each([['stream'], [true], [null], ['']])('refuses %p as a guard', (guard) => {
    expect(refused({ guard })).toMatchObject({ decorator: '@Aggregate', place: 'its options' });
  });

  it.each([['yes'], [1], [null]])('refuses %p for strict', (strict) => {
    expect(refused({ strict }).message).toMatch(/strict/);
  });

  it.each([[Noted], ['account.noted'], [null], [{}]])('refuses %p for ignores, which is an array', (ignores) => {
    expect(refused({ ignores }).message).toMatch(/ignores/);
  });

  it.each([[undefined], ['account.noted'], [() => undefined], [null]])('refuses %p among the ignored events', (event) => {
    const error = refused({ ignores: [event] });
    expect(error).toMatchObject({ decorator: '@Aggregate', place: 'ignores' });
    expect(error.message).toMatch(/is no event class/);
  });

  it('records when a snapshot is made, and of which revision', () => {
    @Aggregate({ snapshot: { every: 100 } })
    class Account extends AccountBase {}
    @Aggregate({ snapshot: { every: 1, revision: 2.5 } })
    class Savings extends AccountBase {}
    @Aggregate()
    class Plain extends AccountBase {}
    const registry = Registry.of([Account, Savings, Plain]);
    expect([Account, Savings, Plain].map((target) => registry.describe(target).snapshot)).toStrictEqual([
      { every: 100, revision: '1' },
      { every: 1, revision: '2.5' },
      undefined,
    ]);
  });

  it.each([[0], [-1], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY], ['3'], [null], [undefined]])(
    'refuses a snapshot every %p events',
    (every) => {
      const error = refused({ snapshot: { every } });
      expect(error).toMatchObject({ code: 'DECORATOR', decorator: '@Aggregate', place: 'its options' });
      expect(error.message).toMatch(/a snapshot every .* events is not possible\. Give a whole number of 1 or more\.$/);
    },
  );

  it.each([[''], ['\n'], ['x'.repeat(101)], [Number.NaN], [true], [null], [{}]])(
    'refuses %p as the revision of a snapshot',
    (revision) => {
      expect(refused({ snapshot: { every: 1, revision } }).message).toMatch(/is no revision of a snapshot/);
    },
  );

  it.each([[null], [100], [[]], [true]])('refuses %p as the options of a snapshot', (snapshot) => {
    expect(refused({ snapshot }).message).toMatch(/expected an object/);
  });

  it('refuses an unknown option of a snapshot', () => {
    expect(refused({ snapshot: { every: 1, evry: 2 } }).message).toMatch(/"evry" is unknown\. Known options: every, revision\.$/);
  });

  it('refuses an unknown option and names the known ones', () => {
    expect(refused({ names: 'account' }).message).toMatch(
      /"names" is unknown\. Known options: name, guard, strict, ignores, snapshot\.$/,
    );
  });

  it.each([[null], ['account'], [[]]])('refuses %p in the place of its options', (options) => {
    expect(refused(options).message).toMatch(/expected an object/);
  });

  it('refuses what is no class', () => {
    const decorate = Aggregate() as (...args: unknown[]) => void;
    expect(decoratorErrorOf(() => decorate(AccountBase.prototype, 'opened', {})).message).toMatch(/this is no class/);
  });
});
