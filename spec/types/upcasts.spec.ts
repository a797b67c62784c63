import { Event, type EventContext, Upcasts, upcasts } from 'eventfold';

@Event('type.placed', { version: 2 })
class Placed {
  orderId!: string;
}

@Event('type.paid')
class Paid {
  orderId!: string;
}

const into = [
  { event: Placed, version: 2 },
  { event: 'type.old', version: 1 },
] as const;

describe('@Upcasts and upcasts compile', () => {
  it('with functions from plain data, static or not, that give data or events', () => {
    class Upcasters {
      @Upcasts(Placed, { from: 1, to: 2 })
      static one(data: { order: string }, { metadata }: EventContext) {
        return { orderId: data.order, by: metadata.correlationId };
      }

      @Upcasts('type.both', { from: 1, into })
      both({ orderId }: { orderId: string }) {
        return [{ event: Placed, data: { orderId } }];
      }
    }
    const renamed = upcasts('type.settled', { from: 1, to: 1, into: Paid }, (data: { orderId: string }) => data);
    expect([Upcasters, renamed]).toHaveLength(2);
  });
});

describe('@Upcasts and upcasts do not compile', () => {
  it('where the function gives no data, or later', () => {
    class Upcasters {
      // @ts-expect-error - text is no data
      @Upcasts(Placed, { from: 1, to: 2 })
      text() {
        return 'text';
      }

      // @ts-expect-error - neither is nothing
      @Upcasts(Placed, { from: 1, to: 2 })
      static nothing() {}

      // @ts-expect-error - what is read is not waited for
      @Upcasts(Placed, { from: 1, to: 2 })
      static async later() {
        return {};
      }

      // @ts-expect-error - one of several is an array
      @Upcasts('type.both', { from: 1, into })
      static single(): { event: typeof Placed; data: object } {
        return { event: Placed, data: {} };
      }

      // @ts-expect-error - each of several says which event it is
      @Upcasts('type.both', { from: 1, into })
      static untold() {
        return [{ orderId: 'a' }];
      }

      // @ts-expect-error - there are the data and the context, and no more
      @Upcasts(Placed, { from: 1, to: 2 })
      static third(_data: object, _context: EventContext, _third: string) {
        return {};
      }
    }
    // @ts-expect-error - a function is the same
    const later = upcasts(Placed, { from: 1, to: 2 }, async () => ({}));
    // @ts-expect-error - the context is no text
    const context = upcasts(Placed, { from: 1, to: 2 }, (_data: object, _context: string) => ({}));
    expect([Upcasters, later, context]).toHaveLength(3);
  });

  it('with options that lead nowhere', () => {
    // @ts-expect-error - where it leads is missing
    expect(() => Upcasts(Placed, { from: 1 })).toThrow(/"to" is undefined/);
    // @ts-expect-error - a version is a number
    expect(() => Upcasts(Placed, { from: '1', to: 2 })).toThrow(/"from" is "1"/);
    // @ts-expect-error - several events have a version each
    expect(() => Upcasts(Placed, { from: 1, to: 2, into })).toThrow(/"to" has no meaning/);
    // @ts-expect-error - there is no option "by"
    expect(() => Upcasts(Placed, { from: 1, to: 2, by: 'me' })).toThrow(/"by" is unknown/);
    // @ts-expect-error - an instance is no event class
    expect(() => Upcasts(new Placed(), { from: 1, to: 2 })).toThrow(/is no event/);
    // @ts-expect-error - the function is missing
    expect(() => upcasts(Placed, { from: 1, to: 2 })).toThrow(/is no function/);
  });
});
