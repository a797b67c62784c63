import { type DecoratorError, Event, Registry } from 'eventfold';
import { decoratorErrorOf, standardContext } from './decorator-error-of';

@Event('account.opened', { version: 2 })
class Opened {
  accountId!: string;
}

@Event()
class Closed {
  accountId!: string;
}

function refused(name: unknown, options?: unknown): DecoratorError {
  return decoratorErrorOf(() => Event(name as never, options as never));
}

describe('Event', () => {
  it('records a stored name and a version', () => {
    expect(Registry.of([Opened]).events()).toStrictEqual([
      { class: 'Opened', type: 'account.opened', schemaVersion: 2, handledBy: [] },
    ]);
  });

  it('takes the name of the class and version 1 unless told otherwise', () => {
    expect(Registry.of([Closed]).events()).toStrictEqual([{ class: 'Closed', type: 'Closed', schemaVersion: 1, handledBy: [] }]);
  });

  it('is not inherited: a subclass is an event by its own decorator only', () => {
    class Reopened extends Opened {}
    expect(() => Registry.of([Reopened])).toThrow(/Reopened: it has no decorator/);
  });

  it('gives a subclass a name of its own and leaves the parent its name', () => {
    @Event('account.reopened')
    class Reopened extends Opened {}
    const types = Registry.of([Opened, Reopened]).events();
    expect(types.map(({ class: name, type, schemaVersion }) => [name, type, schemaVersion])).toStrictEqual([
      ['Opened', 'account.opened', 2],
      ['Reopened', 'account.reopened', 1],
    ]);
  });

  it.each([[''], [' opened'], ['account:opened'], ['account\nopened'], [7], [null], [Symbol('opened')], [{}]])(
    'refuses %p as a name',
    (name) => {
      expect(refused(name)).toMatchObject({ code: 'DECORATOR', decorator: '@Event', place: 'its name' });
    },
  );

  it.each([
    ['order\0placed', '"order\\u0000placed" holds NUL or half a surrogate pair, which no database keeps'],
    ['order\ud83d', '"order\\ud83d" holds NUL or half a surrogate pair, which no database keeps'],
    ['a'.repeat(5000), `"${'a'.repeat(40)}"… has 5000 bytes. Give a name of at most 700 bytes.`],
    ['é'.repeat(351), 'has 702 bytes'],
  ])('refuses %p, which not every store keeps, also as an alias', (name, problem) => {
    expect(refused(name)).toMatchObject({ code: 'DECORATOR', decorator: '@Event', place: 'its name' });
    expect(refused(name).message).toContain(problem);
    const alias = decoratorErrorOf(() => Event('opened', { aliases: [name] })(class {}));
    expect(alias.message).toContain(problem);
  });

  it('takes the longest name that every store keeps', () => {
    expect(() => Event('é'.repeat(350))(class {})).not.toThrow();
  });

  it.each([[0], [-1], [1.5], [2 ** 31], [Number.NaN], [Number.POSITIVE_INFINITY], ['2'], [null]])(
    'refuses %p as a version',
    (version) => {
      const error = refused('opened', { version });
      expect(error).toMatchObject({ decorator: '@Event', place: 'its options' });
      expect(error.message).toMatch(/whole number of 1 or more/);
    },
  );

  it.each([
    [null, 'null'],
    [7, '7'],
    ['z.object', '"z.object"'],
    [{ orderId: 'string' }, 'an object of Object'],
    [{ '~standard': null }, 'an object of Object'],
    [{ '~standard': { version: 2, validate: () => ({}) } }, 'an object of Object'],
    [{ '~standard': { version: 1 } }, 'an object of Object'],
  ])('refuses %j as a schema', (schema, name) => {
    expect(refused('opened', { schema }).message).toBe(
      `@Event on its options: its schema is ${name}, which is none. Give one of a library that follows Standard Schema, such as z.object({ … }) of Zod.`,
    );
  });

  it('refuses an unknown option and names the known ones', () => {
    const error = refused('opened', { versoin: 2 });
    expect(error.message).toBe('@Event on its options: "versoin" is unknown. Known options: version, aliases, schema.');
  });

  it.each([[null], [2], ['2'], [[]]])('refuses %p in the place of its options', (options) => {
    expect(refused('opened', options).message).toMatch(/expected an object/);
  });

  it('refuses a class without a name when none is given', () => {
    const anonymous = (() => class {})();
    expect(decoratorErrorOf(() => Event()(anonymous)).place).toBe('its name');
    expect(() => Event('named')(anonymous)).not.toThrow();
  });

  it.each([
    ['a method', [Opened.prototype, 'method', {}]],
    ['a static method', [Opened, 'method', {}]],
    ['a static method, in a standard decorator', [class {}, standardContext({ static: true })]],
    ['a field, in a standard decorator', [undefined, standardContext({ kind: 'field' })]],
    ['an arrow function', [() => undefined]],
    ['nothing', []],
  ])('refuses %s', (_what, args) => {
    const decorate = Event('opened') as (...args: unknown[]) => void;
    expect(decoratorErrorOf(() => decorate(...args)).message).toMatch(/this is no class\. Put it before a class\.$/);
  });
});
