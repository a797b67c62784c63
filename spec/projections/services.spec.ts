import {
  Aggregate,
  AggregateRoot,
  Event,
  EventSourcing,
  type EventSourcingOptions,
  Handles,
  InMemoryEventStore,
  Projection,
  type ProjectionContext,
  type ProjectionFailure,
  ProjectionId,
  StartUpError,
} from 'eventfold';

@Event('paid')
class Paid {
  from!: string;
  amount!: number;
}

class Rates {
  constructor(readonly euros: number) {}
}

@Projection()
class Euros {
  total = 0;

  @Handles(Paid)
  paid({ amount }: Paid, context: ProjectionContext): void {
    this.total += amount * context.resolve(Rates).euros;
  }
}

@Projection({ mode: 'live' })
class LiveEuros extends Euros {
  @Handles(Paid)
  override paid(event: Paid, context: ProjectionContext): void {
    super.paid(event, context);
  }
}

@Projection({ mode: 'inline' })
class InlineEuros extends LiveEuros {
  @Handles(Paid)
  override paid(event: Paid, context: ProjectionContext): void {
    super.paid(event, context);
  }
}

@Projection({ kind: 'custom' })
class Receipts {
  @ProjectionId() readonly from!: string;

  constructor(private readonly lines: string[]) {}

  @Handles(Paid)
  paid({ amount }: Paid): void {
    this.lines.push(`${this.from} ${amount}`);
  }
}

const open = (options: Partial<EventSourcingOptions>) =>
  EventSourcing.open({ store: new InMemoryEventStore(), classes: [Paid], ...options });

const pay = (es: EventSourcing, from: string, amount: number) =>
  es.appendUnguarded('payments', [Object.assign(new Paid(), { from, amount })]);

describe('EventSourcing.open({ resolve })', () => {
  it('gives handlers of every mode what they ask for', async () => {
    const classes = [Euros, LiveEuros, InlineEuros];
    const es = await open({ classes, resolve: (token) => (token === Rates ? new Rates(2) : undefined) });
    await pay(es, 'ann', 5);
    await es.projections.caughtUp();
    for (const target of classes) expect((await es.projections.get<Euros>(target))?.total).toBe(10);
    await es.close();
  });

  it('parks the event of a handler that asks in vain', async () => {
    const es = await open({ classes: [Euros] });
    const failures: ProjectionFailure[] = [];
    es.projections.errors().subscribe((failure) => failures.push(failure));
    await pay(es, 'ann', 5);
    await es.projections.caughtUp();
    expect(failures.map(({ error }) => error.cause)).toStrictEqual([
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('context.resolve(Rates)') as string }),
    ]);
    await es.close();
  });

  it('takes a function', async () => {
    await expect(open({ resolve: 'Rates' as never })).rejects.toThrow('EventSourcing.open({ resolve })');
  });
});

describe('EventSourcing.open({ instances })', () => {
  it('makes custom projections that take arguments, each instance with its ids', async () => {
    const lines: string[] = [];
    const one = new Receipts(lines);
    const es = await open({ classes: [Receipts], instances: (target) => (target === Receipts ? () => one : undefined) });
    await pay(es, 'ann', 5);
    await pay(es, 'bob', 6);
    await es.projections.caughtUp();
    expect(lines).toStrictEqual(['ann 5', 'bob 6']);
    expect(one.from).toBeUndefined();
    await es.close();
  });

  it('is needed for them, at the start', async () => {
    const mistake = await open({ classes: [Receipts] }).catch((error: unknown) => error);
    expect(mistake).toBeInstanceOf(StartUpError);
    expect((mistake as StartUpError).mistakes).toMatchObject([{ code: 'CONSTRUCTOR_ARGUMENTS', class: 'Receipts' }]);
  });

  it('makes neither aggregates nor projections that keep state', async () => {
    @Aggregate()
    class Till extends AggregateRoot {
      constructor(readonly lines: string[]) {
        super();
      }

      @Handles(Paid)
      protected paid(): void {}
    }
    @Projection()
    class Sum {
      constructor(readonly lines: string[]) {}

      @Handles(Paid)
      paid(): void {}
    }
    const opening = open({ classes: [Till, Sum], instances: () => () => new Receipts([]) });
    await expect(opening).rejects.toMatchObject({ mistakes: [{ class: 'Till' }, { class: 'Sum' }] });
  });
});

describe("EventSourcing.open({ projections: { run: 'off' } })", () => {
  it('runs no async projection, whoever asks, and inline ones in appends', async () => {
    const resolve = () => new Rates(1);
    const store = new InMemoryEventStore();
    const web = await open({ store, classes: [Euros, InlineEuros], resolve, projections: { run: 'off' } });
    await pay(web, 'ann', 5);
    expect((await web.projections.get(InlineEuros))?.total).toBe(5);
    await expect(web.projections.start()).rejects.toThrow("by projections: { run: 'off' }");
    await expect(web.projections.runOnce()).rejects.toThrow("by projections: { run: 'off' }");
    expect(await web.projections.get(Euros)).toBeUndefined();
    const worker = await open({ store, classes: [Euros, InlineEuros], resolve });
    await web.projections.caughtUp(Euros);
    expect((await web.projections.get(Euros))?.total).toBe(5);
    await worker.close();
  });
});
