import { Aggregate, AggregateRoot, Command, type DecoratorError, Event, Handles, Registry } from 'eventfold';
import { decoratorErrorOf, standardContext } from './decorator-error-of';

@Event('counter.increased')
class Increased {}

abstract class CounterBase extends AggregateRoot {
  @Handles(Increased)
  protected increased() {}
}

const decorate = Command() as unknown as (...args: unknown[]) => void;

function refused(options: unknown): DecoratorError {
  return decoratorErrorOf(() => Command(options as never));
}

describe('Command', () => {
  it('records the names of the methods, or given ones', () => {
    const reset = Symbol('reset');
    const stop = Symbol('stop');
    @Aggregate()
    class Counter extends CounterBase {
      @Command()
      async increase() {
        this.emit(Increased);
      }

      @Command({ name: 'step-back' })
      async decrease() {}

      @Command({ name: 'reset' })
      async [reset]() {}

      @Command()
      async [stop]() {}
    }
    expect(Registry.of([Counter]).describe(Counter).commands).toStrictEqual(['increase', 'step-back', 'reset', 'stop']);
  });

  it('refuses a symbol without description, and takes it with a name', () => {
    const target = { constructor: class Counter {} };
    const descriptor = { value: async () => {} };
    expect(decoratorErrorOf(() => decorate(target, Symbol(), descriptor))).toMatchObject({
      code: 'DECORATOR',
      decorator: '@Command',
      place: 'its name',
    });
    const named = Command({ name: 'increase' }) as unknown as typeof decorate;
    expect(() => named(target, Symbol(), descriptor)).not.toThrow();
  });

  it('refuses a static method', () => {
    const define = () => {
      class Counter {
        @Command()
        static async increase() {}
        count = 0;
      }
      return Counter;
    };
    expect(decoratorErrorOf(define).message).toMatch(/Counter\.increase: a static member belongs to no instance/);
  });

  it('refuses a #private method', () => {
    const define = () => decorate(async () => {}, standardContext({ name: '#increase', private: true }));
    expect(decoratorErrorOf(define).message).toMatch(/#increase: a #private member cannot be reached from outside/);
  });

  it.each([
    ['a property', [{ constructor: class Counter {} }, 'increase', undefined]],
    ['a getter', [{ constructor: class Counter {} }, 'increase', { get: () => async () => {} }]],
    ['a field, in a standard decorator', [undefined, standardContext({ kind: 'field' })]],
  ])('refuses %s', (_what, args) => {
    expect(decoratorErrorOf(() => decorate(...args)).message).toMatch(/this is no method/);
  });

  it.each([[''], ['counter:increase'], ['a\nb'], [3], [null]])('refuses %p as a name', (name) => {
    expect(refused({ name })).toMatchObject({ decorator: '@Command', place: 'its name' });
  });

  it('refuses an unknown option and names the known one', () => {
    expect(refused({ names: 'increase' }).message).toMatch(/"names" is unknown\. Known options: name\.$/);
  });

  it.each([[null], ['increase'], [[]]])('refuses %p in the place of its options', (options) => {
    expect(refused(options).message).toMatch(/expected an object/);
  });
});
