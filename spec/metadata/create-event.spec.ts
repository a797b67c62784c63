import { IsPositive } from 'class-validator';
import { createEvent, Event, EventValidationError, InvalidPayloadError, UnstorablePayloadError } from 'eventfold';

@Event('goods.received')
class Received {
  product!: string;
  @IsPositive() count!: number;
  note?: { text: string };
}

@Event('shop.closed')
class ShopClosed {}

describe('createEvent', () => {
  it('makes a frozen instance that shares nothing with its payload', () => {
    const note = { text: 'a' };
    const event = createEvent(Received, { product: 'x', count: 1, note });
    note.text = 'changed';
    expect(event).toBeInstanceOf(Received);
    expect({ ...event }).toEqual({ product: 'x', count: 1, note: { text: 'a' } });
    expect(() => Object.assign(event, { count: 2 })).toThrow(TypeError);
    expect(() => Object.assign(event.note as object, { text: 'b' })).toThrow(TypeError);
  });

  it('needs no payload where the event has no data', () => {
    expect(createEvent(ShopClosed)).toStrictEqual(new ShopClosed());
  });

  it('refuses data that breaks a rule, or that could not be stored', () => {
    expect(() => createEvent(Received, { product: 'x', count: -1 })).toThrow(EventValidationError);
    expect(() => createEvent(Received, { product: (() => 'x') as never, count: 1 })).toThrow(UnstorablePayloadError);
  });

  it.each([null, 5, 'x', []])('refuses %p for data', (payload) => {
    expect(() => createEvent(ShopClosed, payload as never)).toThrow(InvalidPayloadError);
  });

  it.each([undefined, null, 5, 'goods.received', {}, () => 1, Symbol('x'), class Bare {}])(
    'refuses %p for an event class',
    (target) => {
      expect(() => createEvent(target as never, {} as never)).toThrow(InvalidPayloadError);
      expect(() => createEvent(target as never, {} as never)).toThrow(/no event class/);
    },
  );
});
