import { EventSourcing, InMemoryEventStore, InvalidArgumentError } from 'eventfold';
import { PassedOver } from '../../lib/events/passed-over';

describe('PassedOver', () => {
  it('has the names that are listed, and those of families', () => {
    const passed = new PassedOver(['order.viewed', 'billing.*']);
    expect(['order.viewed', 'billing.sent', 'billing.a.b', 'billing.*'].filter((name) => !passed.has(name))).toStrictEqual([]);
    expect(
      ['order.view', 'order.viewed.twice', 'billing', 'billings.sent', 'x', 'a.b'].filter((name) => passed.has(name)),
    ).toStrictEqual([]);
  });

  it.each([['*'], ['.*'], ['bill*'], ['bill*.*'], ['billing.**'], ['*.sent']])(
    'refuses %p, and says what families are',
    (name) => {
      expect(() => new PassedOver(['order.viewed', name])).toThrow(InvalidArgumentError);
      expect(() => new PassedOver([name])).toThrow(
        `passOver names "${name}", which is no stored name and no family: families are 'prefix.*', such as 'billing.*'.`,
      );
    },
  );

  it('refuses the start before anything is told to be passed over', async () => {
    const warned: Error[] = [];
    const hear = (warning: Error) => void warned.push(warning);
    process.on('warning', hear);
    const opening = EventSourcing.open({ store: new InMemoryEventStore(), classes: [], passOver: ['bill*'] });
    await expect(opening).rejects.toThrow(InvalidArgumentError);
    // Warnings are told on a later turn.
    await new Promise(setImmediate);
    process.off('warning', hear);
    expect(warned).toStrictEqual([]);
  });
});
