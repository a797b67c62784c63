import { Aggregate, AggregateRoot, Command, Event, Handles, Projection, ProjectionId, Registry } from 'eventfold';
import { MetadataSlot } from '../../lib/metadata/metadata-slot';

@Event('shape.drawn')
class Drawn {
  shapeId!: string;
}

@Event('shape.moved')
class Moved {
  shapeId!: string;
  to!: string;
}

abstract class Shape extends AggregateRoot<'shapeId'> {
  @ProjectionId() readonly shapeId!: string;

  @Command()
  async draw() {
    this.emit(Drawn);
  }

  @Handles(Drawn)
  protected drawn() {}
}

@Aggregate()
class Circle extends Shape {
  @Command()
  async move(to: string) {
    this.emit(Moved, { to });
  }

  @Handles(Moved)
  protected moved() {}
}

@Aggregate()
class Square extends Shape {
  override async draw() {}

  @Handles(Moved, { shapeId: 'to' })
  protected override drawn() {}
}

@Aggregate()
class PlainShape extends Shape {}

describe('MetadataSlot', () => {
  it('keeps what a class records to that class', () => {
    const slot = new MetadataSlot<readonly string[]>('test');
    class Parent {}
    class Child extends Parent {}
    class Sibling extends Parent {}
    slot.update(Parent, (words = []) => [...words, 'parent']);
    slot.update(Child, (words = []) => [...words, 'child']);
    slot.update(Child, (words = []) => [...words, 'again']);
    expect(slot.own(Parent)).toStrictEqual(['parent']);
    expect(slot.own(Child)).toStrictEqual(['child', 'again']);
    expect(slot.own(Sibling)).toBeUndefined();
    expect(slot.chain(Child)).toStrictEqual([['parent'], ['child', 'again']]);
    expect(slot.chain(Sibling)).toStrictEqual([['parent']]);
  });

  it('finds what a standard decorator left in the metadata object of the class, and not what its parent has there', () => {
    const slot = new MetadataSlot<string>('test');
    const metadataKey = (Symbol as unknown as { metadata: symbol }).metadata;
    class Parent {}
    class Child extends Parent {}
    const metadata = {};
    Object.defineProperty(Parent, metadataKey, { value: metadata });
    slot.update(metadata, () => 'parent');
    expect(slot.own(Parent)).toBe('parent');
    expect(slot.own(Child)).toBeUndefined();
    expect(slot.chain(Child)).toStrictEqual(['parent']);
  });

  it('shares what was recorded between two copies of the package', () => {
    class Recorded {}
    new MetadataSlot<string>('test-shared').update(Recorded, () => 'here');
    expect(new MetadataSlot<string>('test-shared').own(Recorded)).toBe('here');
    expect(new MetadataSlot<string>('test-other').own(Recorded)).toBeUndefined();
  });
});

describe('Decorated subclasses of one base', () => {
  const registry = Registry.of([Circle, Square, PlainShape]);
  const handlers = (target: typeof Shape) =>
    registry.describe(target).handlers.map(({ method, event, ids }) => [method, event, ids]);

  it('add to what they inherit', () => {
    expect(handlers(Circle)).toStrictEqual([
      ['drawn', 'shape.drawn', { shapeId: 'shapeId' }],
      ['moved', 'shape.moved', { shapeId: 'shapeId' }],
    ]);
    expect(registry.describe(Circle)).toMatchObject({ ids: ['shapeId'], commands: ['draw', 'move'] });
  });

  it('never write into the base, nor into each other', () => {
    expect(handlers(PlainShape)).toStrictEqual([['drawn', 'shape.drawn', { shapeId: 'shapeId' }]]);
    expect(registry.describe(PlainShape).commands).toStrictEqual(['draw']);
  });

  it('replace by a decorator what the base records of a method', () => {
    expect(handlers(Square)).toStrictEqual([['drawn', 'shape.moved', { shapeId: 'to' }]]);
  });

  it('keep the role of a method that they override without a decorator', () => {
    expect(registry.describe(Square).commands).toStrictEqual(['draw']);
  });

  it('give a method named by a symbol what the base records of it', () => {
    const happened = Symbol('happened');
    class Base {
      seen = '';

      @Handles(Drawn)
      [happened]() {
        this.seen = 'base';
      }
    }
    @Projection({ mode: 'live' })
    class Inherited extends Base {}
    @Projection({ mode: 'live' })
    class Overridden extends Base {
      override [happened]() {
        this.seen = 'subclass';
      }
    }
    const symbols = Registry.of([Inherited, Overridden]);
    expect(symbols.handlersOf(Drawn).map(({ class: name, method }) => [name, method])).toStrictEqual([
      ['Inherited', 'Symbol(happened)'],
      ['Overridden', 'Symbol(happened)'],
    ]);
  });

  it('may be further from the base than one step, each with a decorator of its own', () => {
    @Aggregate()
    class Ring extends Circle {
      @Handles(Moved, { shapeId: 'to' })
      protected override moved() {}
    }
    const both = Registry.of([Circle, Ring]);
    expect(both.handlersOf(Moved)).toStrictEqual([
      { class: 'Circle', method: 'moved', event: 'shape.moved', ids: { shapeId: 'shapeId' } },
      { class: 'Ring', method: 'moved', event: 'shape.moved', ids: { shapeId: 'to' } },
    ]);
    expect(both.describe(Ring).commands).toStrictEqual(['draw', 'move']);
  });
});
