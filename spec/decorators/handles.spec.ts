import { Aggregate, AggregateRoot, Event, type EventContext, Handles, Projection, ProjectionId, Registry } from 'eventfold';
import { decoratorErrorOf, standardContext } from './decorator-error-of';

@Event('account.transferred')
class Transferred {
  from!: string;
  to!: string;
}

@Event('account.opened')
class Opened {
  accountId!: string;
}

@Event('order.placed')
class Placed {
  lines!: { productId: string }[];
}

const decorate = Handles(Opened) as unknown as (...args: unknown[]) => void;

describe('Handles', () => {
  it('records the handlers in the order they are written, each with where its ids are found', () => {
    @Aggregate()
    class Account extends AggregateRoot<'accountId'> {
      @ProjectionId() readonly accountId!: string;

      @Handles(Transferred, { accountId: 'from' })
      protected sent() {}

      @Handles(Transferred, { accountId: 'to' })
      protected received() {}

      @Handles(Opened)
      protected opened() {}
    }
    expect(Registry.of([Account]).describe(Account).handlers).toStrictEqual([
      { class: 'Account', method: 'sent', event: 'account.transferred', ids: { accountId: 'from' } },
      { class: 'Account', method: 'received', event: 'account.transferred', ids: { accountId: 'to' } },
      { class: 'Account', method: 'opened', event: 'account.opened', ids: { accountId: 'accountId' } },
    ]);
  });

  it('records a function of the event by its text', () => {
    @Projection()
    class Sales {
      @ProjectionId() productId!: string;

      @Handles(Placed, { productId: (event) => event.lines.map((line) => line.productId) })
      placed() {}
    }
    const { productId } = Registry.of([Sales]).handlersOf(Placed)[0]?.ids ?? {};
    expect(productId).toStrictEqual({ computed: '(event) => event.lines.map((line) => line.productId)' });
  });

  it('takes several events on one method', () => {
    @Projection()
    class Activity {
      @Handles(Opened)
      @Handles(Transferred)
      happened() {}
    }
    const methods = Registry.of([Activity]).describe(Activity).handlers;
    expect(methods.map(({ method, event }) => [method, event])).toStrictEqual([
      ['happened', 'account.transferred'],
      ['happened', 'account.opened'],
    ]);
  });

  it('copies the id map: changing it later changes nothing', () => {
    const ids: { accountId: 'from' | 'to' } = { accountId: 'from' };
    @Projection()
    class Sent {
      @ProjectionId() accountId!: string;

      @Handles(Transferred, ids)
      sent() {}
    }
    ids.accountId = 'to';
    expect(Registry.of([Sent]).handlersOf(Transferred)[0]?.ids).toStrictEqual({ accountId: 'from' });
  });

  it('takes a method without parameters and one with the context', () => {
    @Projection()
    class Activity {
      @Handles(Opened)
      opened() {}

      @Handles(Transferred)
      transferred(_event: Transferred, _context: EventContext) {}
    }
    expect(Registry.of([Activity]).describe(Activity).handlers).toHaveLength(2);
  });

  it('takes a method named by a symbol', () => {
    const opened = Symbol('opened');
    @Projection()
    class Activity {
      @Handles(Opened)
      [opened]() {}
    }
    expect(Registry.of([Activity]).handlersOf(Opened)[0]?.method).toBe('Symbol(opened)');
  });

  it('refuses a method with three parameters', () => {
    const define = () => decorate({ constructor: class Activity {} }, 'opened', { value: (_a: 1, _b: 2, _c: 3) => {} });
    expect(decoratorErrorOf(define)).toMatchObject({
      code: 'DECORATOR',
      decorator: '@Handles',
      place: 'Activity.opened',
      message: '@Handles on Activity.opened: it takes 3 parameters. A handler takes (event, context).',
    });
  });

  it('refuses a static method', () => {
    const define = () => {
      class Activity {
        @Handles(Opened)
        static opened() {}
        count = 0;
      }
      return Activity;
    };
    expect(decoratorErrorOf(define).message).toMatch(/Activity\.opened: a static member belongs to no instance/);
    const standard = () => decorate(() => {}, standardContext({ static: true }));
    expect(decoratorErrorOf(standard).message).toMatch(/a static member belongs to no instance/);
  });

  it('refuses a #private method', () => {
    const define = () => decorate(() => {}, standardContext({ name: '#opened', private: true }));
    expect(decoratorErrorOf(define).message).toMatch(/#opened: a #private member cannot be reached from outside/);
  });

  it.each([
    ['a property', [{ constructor: class Activity {} }, 'opened', undefined]],
    ['a getter', [{ constructor: class Activity {} }, 'opened', { get: () => () => {} }]],
    ['a getter, in a standard decorator', [() => {}, standardContext({ kind: 'getter' })]],
    ['a field, in a standard decorator', [undefined, standardContext({ kind: 'field' })]],
    ['a class, in a standard decorator', [class Activity {}, standardContext({ kind: 'class' })]],
  ])('refuses %s', (_what, args) => {
    expect(decoratorErrorOf(() => decorate(...args)).message).toMatch(/this is no method\. Put it on a method of the class\.$/);
  });

  it('refuses a class', () => {
    expect(decoratorErrorOf(() => decorate(class Activity {})).message).toMatch(/Activity: this is no member of a class/);
  });

  it('says that a circular import leaves an event class undefined', () => {
    const define = () => {
      class Activity {
        @Handles(undefined as unknown as typeof Opened)
        opened() {}
      }
      return Activity;
    };
    const error = decoratorErrorOf(define);
    expect(error.place).toBe('Activity.opened');
    expect(error.message).toMatch(/undefined is no event class\. Break the circular import between the two files\.$/);
  });

  it.each([['account.opened'], [null], [() => {}], [{}], [new Opened()]])(
    'refuses %p in the place of an event class',
    (event) => {
      const handles = Handles(event as never) as unknown as typeof decorate;
      const define = () => handles({ constructor: class Activity {} }, 'opened', { value: () => {} });
      expect(decoratorErrorOf(define).message).toMatch(/is no event class\. Name the class that @Event decorates\.$/);
    },
  );

  it.each([[null], ['accountId'], [7], [['accountId']], [() => 'a']])('refuses %p in the place of an id map', (ids) => {
    const handles = Handles(Opened, ids as never) as unknown as typeof decorate;
    const define = () => handles({ constructor: class Activity {} }, 'opened', { value: () => {} });
    expect(decoratorErrorOf(define)).toMatchObject({ decorator: '@Handles' });
  });

  it.each([[undefined], [null], [7], [['from', 'to']], [{}]])('refuses %p as the source of an id', (source) => {
    const handles = Handles(Opened, { accountId: source as never }) as unknown as typeof decorate;
    const define = () => handles({ constructor: class Activity {} }, 'opened', { value: () => {} });
    const error = decoratorErrorOf(define);
    expect(error.place).toBe('Activity.opened');
    expect(error.message).toMatch(/the source of id "accountId" is neither a property name nor a function/);
  });
});
