import { Aggregate, AggregateRoot, Command, Event, type EventOptions, Handles, Projection, ProjectionId } from 'eventfold';

@Event('counter.increased')
class Increased {
  counterId!: string;
}

describe('@Command compiles', () => {
  it('on methods that return a promise, whatever they take and resolve to', () => {
    @Aggregate()
    class Counter extends AggregateRoot<'counterId'> {
      @ProjectionId() readonly counterId!: string;

      @Command()
      async nothing() {}

      @Command({ name: 'with-arguments' })
      async something(by: number, ...more: string[]): Promise<number> {
        return by + more.length;
      }

      @Command()
      promised(): Promise<void> {
        return Promise.resolve();
      }

      @Command()
      protected async guarded() {}

      @Handles(Increased)
      protected increased() {}
    }
    expect(Counter.name).toBe('Counter');
  });
});

describe('@Command does not compile', () => {
  it('on a method that returns no promise', () => {
    class Counter extends AggregateRoot {
      // @ts-expect-error - a command is stored when its promise resolves
      @Command()
      nothing() {}

      // @ts-expect-error - a number is no promise
      @Command()
      number() {
        return 1;
      }

      // @ts-expect-error - sometimes is not enough
      @Command()
      maybe(): Promise<void> | undefined {
        return undefined;
      }
    }
    expect(Counter.name).toBe('Counter');
  });

  it('on what is no method, or with an unknown option', () => {
    expect(() => {
      class Counter extends AggregateRoot {
        // @ts-expect-error - a property is no method
        @Command()
        property = async () => {};
      }
      return Counter;
    }).toThrow(/this is no method/);
    // @ts-expect-error - there is no option "retries"
    expect(() => Command({ retries: 3 })).toThrow(/"retries" is unknown/);
  });
});

describe('The decorators of classes and properties do not compile', () => {
  it('with unknown options or values', () => {
    // @ts-expect-error - a version is a number
    const options: EventOptions = { version: '2' };
    expect(() => Event('a', options)).toThrow(/version "2" is not possible/);
    // @ts-expect-error - the only guard to ask for is the boundary
    expect(() => Aggregate({ guard: 'stream' })).toThrow(/guard "stream" is unknown/);
    // @ts-expect-error - there is no such mode
    expect(() => Projection({ mode: 'sync' })).toThrow(/mode "sync" is unknown/);
    // @ts-expect-error - the property is marked, the options have nothing to say
    expect(() => ProjectionId({ name: 'counterId' })).not.toThrow();
  });

  it('on a method, where they belong before a class', () => {
    expect(() => {
      class Counter {
        count = 0;

        // @ts-expect-error - a method is no class
        @Event('counter')
        increase() {}
      }
      return Counter;
    }).toThrow(/this is no class/);
  });
});
