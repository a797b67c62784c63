import { Event, Handles, Projection, ProjectionId, Registry } from 'eventfold';
import { decoratorErrorOf, standardContext } from './decorator-error-of';

@Event('stock.moved')
class Moved {
  productId!: string;
  warehouseId!: string;
}

const decorate = ProjectionId() as (...args: unknown[]) => void;

describe('ProjectionId', () => {
  it('records the ids in the order they are written', () => {
    @Projection()
    class Stock {
      @ProjectionId() warehouseId!: string;
      @ProjectionId() productId!: string;

      @Handles(Moved)
      moved() {}
    }
    expect(Registry.of([Stock]).projectionIds(Stock)).toStrictEqual(['warehouseId', 'productId']);
  });

  it('leaves a class without it a single instance', () => {
    @Projection()
    class Movements {
      @Handles(Moved)
      moved() {}
    }
    expect(Registry.of([Movements]).projectionIds(Movements)).toStrictEqual([]);
  });

  it('counts a property once that a subclass declares again', () => {
    class Stock {
      @ProjectionId() productId!: string;

      @Handles(Moved)
      moved() {}
    }
    @Projection()
    class WarehouseStock extends Stock {
      @ProjectionId() override productId: string = '';
      @ProjectionId() warehouseId!: string;
    }
    expect(Registry.of([WarehouseStock]).projectionIds(WarehouseStock)).toStrictEqual(['productId', 'warehouseId']);
  });

  it('refuses a method', () => {
    const define = () => {
      class Stock {
        @ProjectionId() productId() {}
      }
      return Stock;
    };
    expect(decoratorErrorOf(define)).toMatchObject({
      code: 'DECORATOR',
      decorator: '@ProjectionId',
      place: 'Stock.productId',
      message: '@ProjectionId on Stock.productId: this is no property. Put it on a property of the class.',
    });
  });

  it('refuses a getter and a setter, which hold nothing', () => {
    const getter = () => {
      class Stock {
        @ProjectionId() get productId() {
          return 'p';
        }
      }
      return Stock;
    };
    expect(decoratorErrorOf(getter).message).toMatch(/this is no property/);
    for (const kind of ['getter', 'setter', 'accessor', 'method', 'class']) {
      expect(decoratorErrorOf(() => decorate(() => 'p', standardContext({ kind }))).message).toMatch(/this is no property/);
    }
  });

  it('refuses a static property', () => {
    const define = () => {
      class Stock {
        @ProjectionId() static productId: string;
        name = '';
      }
      return Stock;
    };
    expect(decoratorErrorOf(define).message).toMatch(/Stock\.productId: a static member belongs to no instance/);
    const standard = () => decorate(undefined, standardContext({ kind: 'field', static: true }));
    expect(decoratorErrorOf(standard).message).toMatch(/a static member belongs to no instance/);
  });

  it('refuses a #private property', () => {
    const define = () => decorate(undefined, standardContext({ kind: 'field', name: '#productId', private: true }));
    expect(decoratorErrorOf(define).message).toMatch(/#productId: a #private member cannot be reached from outside/);
  });

  it('refuses a property named by a symbol', () => {
    const productId = Symbol('productId');
    const define = () => {
      class Stock {
        @ProjectionId() [productId]!: string;
      }
      return Stock;
    };
    expect(decoratorErrorOf(define).message).toMatch(/Symbol\(productId\): a symbol cannot be stored with an event/);
  });

  it.each([
    ['a class', [class Stock {}]],
    ['nothing', []],
    ['text', ['Stock', 'productId']],
  ])('refuses %s', (_what, args) => {
    expect(decoratorErrorOf(() => decorate(...args)).message).toMatch(/this is no member of a class/);
  });

  it('says what to do where a standard decorator is given no metadata', () => {
    const define = () => decorate(undefined, standardContext({ kind: 'field', metadata: undefined }));
    expect(decoratorErrorOf(define).message).toMatch(/Import eventfold before the class, or use experimentalDecorators\.$/);
  });
});
