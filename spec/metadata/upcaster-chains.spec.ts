import { Event, type Mistake, Registry, StartUpError, Upcasts, upcasts } from 'eventfold';

@Event('order.placed', { version: 3, aliases: ['OrderPlaced'] })
class Placed {
  orderId!: string;
}

@Event('order.paid')
class Paid {
  orderId!: string;
}

class Unlisted {}

const same = (data: object) => data;

function mistakes(upcasters: readonly object[], passOver: readonly string[] = []): [code: string, className: string][] {
  try {
    Registry.of([Placed, Paid], () => [], { upcasters, passOver });
    return [];
  } catch (error) {
    return (error as StartUpError).mistakes.map(({ code, class: name }: Mistake) => [code, name]);
  }
}

const first = upcasts(Placed, { from: 1, to: 2 }, same);
const second = upcasts(Placed, { from: 2, to: 3 }, same);

describe('UpcasterChains', () => {
  it('passes chains that lead from every version to that of the class', () => {
    expect(mistakes([])).toStrictEqual([]);
    expect(mistakes([first, second])).toStrictEqual([]);
    expect(mistakes([second, first, upcasts('order.old', { from: 1, to: 1, into: 'OrderPlaced' }, same)])).toStrictEqual([]);
  });

  it('tells of some of the gaps where there are millions', () => {
    @Event('dated', { version: 20_250_101 })
    class Dated {}
    const dated = upcasts(Dated, { from: 1, to: 20_250_101 }, same);
    expect(() => Registry.of([Dated], () => [], { upcasters: [dated] })).toThrow(/^20 mistakes/);
  });

  it('finds a version that nothing leads on from, at the end, at the beginning and in between', () => {
    expect(mistakes([first])).toStrictEqual([['UPCASTER_GAP', 'upcasts(Placed, from 1)']]);
    expect(mistakes([second])).toStrictEqual([['UPCASTER_GAP', 'Placed']]);
    expect(mistakes([upcasts(Placed, { from: 1, to: 3 }, same)])).toStrictEqual([['UPCASTER_GAP', 'Placed']]);
  });

  it('finds two ways from one version, also under two names', () => {
    const other = upcasts('OrderPlaced', { from: 1, to: 3 }, same);
    expect(mistakes([first, second, other])).toStrictEqual([['TWO_UPCASTERS', 'upcasts("OrderPlaced", from 1)']]);
  });

  it('finds a circle, once', () => {
    const there = upcasts('a', { from: 1, to: 1, into: 'b' }, same);
    const back = upcasts('b', { from: 1, to: 1, into: 'a' }, same);
    expect(mistakes([there, back])).toStrictEqual([['UPCASTER_CYCLE', 'upcasts("a", from 1)']]);
  });

  it('finds what leads beyond the version of a class, or on from it', () => {
    const beyond = upcasts(Paid, { from: 1, to: 2 }, same);
    expect(mistakes([first, second, beyond])).toStrictEqual([['UPCASTER_AHEAD', 'upcasts(Paid, from 1)']]);
    const on = upcasts(Paid, { from: 1, to: 3, into: Placed }, same);
    expect(mistakes([first, second, on])).toStrictEqual([['UPCASTER_AHEAD', 'upcasts(Paid, from 1)']]);
  });

  it('finds events that nobody registered, and suggests a name', () => {
    expect(mistakes([upcasts(Unlisted, { from: 1, to: 2 }, same)])).toStrictEqual([
      ['UPCASTER_OF_NO_EVENT', 'upcasts(Unlisted, from 1)'],
      ['UPCASTER_OF_NO_EVENT', 'upcasts(Unlisted, from 1)'],
    ]);
    const misspelt = () =>
      Registry.of([Paid], () => [], { upcasters: [upcasts('old', { from: 1, to: 1, into: 'order.piad' }, same)] });
    expect(misspelt).toThrow(/leads to "order\.piad".*Did you mean "order\.paid"/);
  });

  it('finds what holds no upcasters', () => {
    class NeedsArguments {
      constructor(readonly currency: string) {}
      @Upcasts(Placed, { from: 1, to: 2 })
      priced(data: object) {
        return { ...data, currency: this.currency };
      }
    }
    expect(mistakes([Unlisted, undefined as never, NeedsArguments])).toStrictEqual([
      ['NO_UPCASTERS', 'Unlisted'],
      ['NO_UPCASTERS', 'undefined'],
      ['NO_UPCASTERS', 'NeedsArguments'],
    ]);
    expect(mistakes([new NeedsArguments('EUR'), second])).toStrictEqual([]);
  });

  it('finds names to pass over that are read', () => {
    expect(mistakes([], ['OrderPlaced', 'legacy'])).toStrictEqual([['PASSED_OVER_EVENT', 'Placed']]);
  });

  it('finds two classes that claim one name, and shows both', () => {
    @Event('order.moved', { aliases: ['order.paid'] })
    class Moved {}
    expect(() => Registry.of([Paid, Moved])).toThrow(
      /Moved: its alias "order\.paid" is the stored name of another class Paid.*DUPLICATE_EVENT_NAME/,
    );
  });

  it('shows upcasters and aliases to who asks', () => {
    const registry = Registry.of([Placed], () => [], { upcasters: [first, second] });
    expect(registry.upcasters()[0]).toStrictEqual({
      name: 'upcasts(Placed, from 1)',
      from: { type: 'order.placed', version: 1 },
      into: [{ type: 'order.placed', version: 2 }],
    });
    expect(registry.events()).toMatchObject([{ type: 'order.placed', aliases: ['OrderPlaced'] }]);
    expect(registry.handlersOf('OrderPlaced')).toStrictEqual([]);
  });
});
