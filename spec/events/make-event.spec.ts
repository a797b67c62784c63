import { Type } from 'class-transformer';
import { InvalidPayloadError } from 'eventfold';
import { makeEvent } from '../../lib/events/make-event';

class Address {
  street!: string;

  get label() {
    return `to ${this.street}`;
  }
}

class Shipped {
  orderId!: string;
  carrier = 'post';
  @Type(() => Address) to?: Address;
  @Type(() => Address) stops?: Address[];
  @Type(() => Date) at?: Date;

  get isExpress() {
    return this.carrier !== 'post';
  }
}

class Built {
  made: string;

  constructor(made: string) {
    this.made = `${made}!`;
  }
}

describe('makeEvent', () => {
  it('makes an instance with the data, and with the defaults of what is left out', () => {
    const event = makeEvent(Shipped, { orderId: 'a' });
    expect(event).toBeInstanceOf(Shipped);
    expect(event).toMatchObject({ orderId: 'a', carrier: 'post' });
    expect(makeEvent(Shipped, { orderId: 'a', carrier: 'bike' }).isExpress).toBe(true);
  });

  it('takes undefined for left out', () => {
    expect(makeEvent(Shipped, { orderId: 'a', carrier: undefined }).carrier).toBe('post');
  });

  it('does not run a constructor that wants arguments', () => {
    const event = makeEvent(Built, { made: 'x' });
    expect(event).toBeInstanceOf(Built);
    expect(event.made).toBe('x');
  });

  it('takes an instance of the class for its data', () => {
    const first = makeEvent(Shipped, { orderId: 'a', carrier: 'bike' });
    const second = makeEvent(Shipped, first);
    expect(second).toStrictEqual(first);
    expect(second).not.toBe(first);
  });

  it('makes nested data instances of their types, one by one in an array', () => {
    const event = makeEvent(Shipped, {
      to: { street: 'a' },
      stops: [{ street: 'b' }, { street: 'c' }],
      at: '2001-01-01T00:00:00Z',
    });
    expect(event.to?.label).toBe('to a');
    expect(event.stops?.map(({ label }) => label)).toEqual(['to b', 'to c']);
    expect(event.at).toEqual(new Date('2001-01-01T00:00:00Z'));
  });

  it('does not change what it was given', () => {
    const payload = { to: { street: 'a' } };
    makeEvent(Shipped, payload);
    expect(payload.to).not.toBeInstanceOf(Address);
  });

  it.each([null, undefined, 5, 'text', true, [], Symbol('x'), () => 1])('refuses %p for data', (payload) => {
    expect(() => makeEvent(Shipped, payload)).toThrow(InvalidPayloadError);
    expect(() => makeEvent(Shipped, payload)).toThrow(/^Shipped: .*Give the event's data as a plain object/);
  });

  it('refuses a property named constructor, by which an event would be taken for one of another class', () => {
    for (const text of ['{"constructor":{"prototype":{"isAdmin":true}}}', '{"orderId":"a","constructor":null}'])
      expect(() => makeEvent(Shipped, JSON.parse(text))).toThrow('its payload has a property named "constructor"');
    expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
  });

  it('refuses a property named __proto__, and leaves all prototypes alone', () => {
    expect(() => makeEvent(Shipped, JSON.parse('{"__proto__":{"isAdmin":true}}'))).toThrow(InvalidPayloadError);
    expect((new Shipped() as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it('refuses a value for what the class computes, by name', () => {
    expect(() => makeEvent(Shipped, { orderId: 'a', isExpress: true })).toThrow(InvalidPayloadError);
    expect(() => makeEvent(Shipped, { orderId: 'a', isExpress: true })).toThrow(/"isExpress"/);
  });
});
