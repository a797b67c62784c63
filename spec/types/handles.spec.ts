import {
  Event,
  type EventContext,
  type EventMetadata,
  Handles,
  Projection,
  ProjectionId,
  type RecordedEvent,
  Registry,
} from 'eventfold';

type AccountId = string & { readonly brand: 'AccountId' };

@Event('account.deposited')
class Deposited {
  accountId!: string;
  amount!: number;
}

@Event('account.transferred')
class Transferred {
  from!: string;
  to!: string;
  amount!: number;
}

@Event('account.audited')
class Audited {
  accountIds!: readonly string[];
  auditor!: AccountId;
  count!: number;
  comment?: string;
  describe() {
    return `${this.count}`;
  }
}

/** More than the event: a handler of it would read what a plain deposit lacks. */
class NotedDeposit extends Deposited {
  note!: string;
}

interface AuditContext extends EventContext {
  readonly metadata: EventMetadata & { readonly actor: string };
}

describe('@Handles compiles', () => {
  it('on methods that take the event, less of it, its context, or nothing', () => {
    @Projection()
    class Balance {
      @ProjectionId() accountId!: string;

      @Handles(Deposited)
      event(_event: Deposited) {}

      @Handles(Deposited)
      part(_event: { amount: number }) {}

      @Handles(Deposited)
      optional(_event?: Deposited) {}

      @Handles(Deposited)
      anything(_event: unknown) {}

      @Handles(Deposited)
      nothing() {}

      @Handles(Deposited)
      context(_event: Deposited, _context: EventContext) {}

      @Handles(Deposited)
      partOfContext(_event: Deposited, { time: _time }: { time: string }) {}

      @Handles(Deposited)
      optionalContext(_event: Deposited, _context?: EventContext) {}

      @Handles(Deposited)
      narrowContext(_event: Deposited, _context: AuditContext) {}

      @Handles(Deposited)
      recorded(_event: Deposited, _context: RecordedEvent<Deposited>) {}

      @Handles(Deposited)
      async asynchronous(_event: Deposited) {}

      @Handles(Deposited)
      protected guarded(_event: Deposited) {}

      @Handles(NotedDeposit)
      base(_event: Deposited) {}
    }
    expect(Balance.name).toBe('Balance');
  });

  it('with an id map from ids of the class to event properties or functions of their type, or arrays of it', () => {
    @Projection({ mode: 'live' })
    class Balance {
      @ProjectionId() accountId!: string;

      @Handles(Transferred, { accountId: 'from' })
      property() {}

      @Handles(Transferred, { accountId: (event) => event.to })
      computed(_event: Transferred) {}

      @Handles(Audited, { accountId: 'accountIds' })
      fannedOut(_event: Audited) {}

      @Handles(Audited, { accountId: (event) => event.accountIds.slice(1) })
      fannedOutByFunction() {}

      @Handles(Audited, { accountId: 'auditor' })
      branded() {}

      @Handles(Deposited, {})
      unmapped() {}
    }
    expect(Registry.of([Balance]).handlersOf(Audited)).toHaveLength(3);
  });

  it('on a class whose id is a narrower type than the property of the event', () => {
    @Projection()
    class Balance {
      @ProjectionId() accountId!: AccountId;

      @Handles(Transferred, { accountId: 'from' })
      sent() {}

      @Handles(Audited, { accountId: (event) => event.auditor })
      audited() {}
    }
    expect(Registry.of([Balance]).handlersOf(Audited)).toHaveLength(1);
  });
});

describe('@Handles does not compile', () => {
  it('on a method whose parameter is not the event', () => {
    class Balance {
      // @ts-expect-error - the parameter is another event
      @Handles(Deposited)
      other(_event: Transferred) {}

      // @ts-expect-error - the parameter is optional, and another event
      @Handles(Deposited)
      otherOptional(_event?: Transferred) {}

      // @ts-expect-error - the parameters are other events
      @Handles(Deposited)
      otherRest(..._events: Transferred[]) {}

      // @ts-expect-error - the parameter has a property more than the event
      @Handles(Deposited)
      wider(_event: NotedDeposit) {}

      // @ts-expect-error - the same for a protected method
      @Handles(Deposited)
      protected guarded(_event: NotedDeposit) {}

      // @ts-expect-error - the property of the parameter is of another type
      @Handles(Deposited)
      otherProperty(_event: { amount: string }) {}

      // @ts-expect-error - the recorded event is not the event
      @Handles(Deposited)
      recorded(_event: RecordedEvent<Deposited>) {}
    }
    expect(Balance.name).toBe('Balance');
  });

  it('on a method whose second parameter is no context', () => {
    class Balance {
      // @ts-expect-error - the second parameter is a number
      @Handles(Deposited)
      number(_event: Deposited, _context: number) {}

      // @ts-expect-error - the second parameter is the event
      @Handles(Deposited)
      twice(_event: Deposited, _context: Deposited) {}
    }
    expect(Balance.name).toBe('Balance');
  });

  it('on a method with three parameters', () => {
    expect(() => {
      class Balance {
        // @ts-expect-error - a handler is given two arguments
        @Handles(Deposited)
        three(_event: Deposited, _context: EventContext, _more: string) {}
      }
      return Balance;
    }).toThrow(/it takes 3 parameters/);
    expect(() => {
      class Balance {
        // @ts-expect-error - nor is the third given when it is optional
        @Handles(Deposited)
        three(_event: Deposited, _context?: EventContext, _more?: string) {}
      }
      return Balance;
    }).toThrow(/it takes 3 parameters/);
  });

  it('with an id map that names what the class or the event lacks', () => {
    class Balance {
      @ProjectionId() accountId!: string;
      protected owner!: string;

      // @ts-expect-error - the class has no property "acountId"
      @Handles(Transferred, { acountId: 'from' })
      misspeltId() {}

      // @ts-expect-error - the event has no property "form"
      @Handles(Transferred, { accountId: 'form' })
      misspeltProperty() {}

      // @ts-expect-error - one of the two ids is no property of the class
      @Handles(Transferred, { accountId: 'from', warehouseId: 'to' })
      oneWrong() {}

      // @ts-expect-error - an id is a public property, or nobody could give it
      @Handles(Transferred, { owner: 'from' })
      guardedId() {}

      // @ts-expect-error - a method of the event holds no id
      @Handles(Audited, { accountId: 'describe' })
      method() {}
    }
    expect(Balance.name).toBe('Balance');
  });

  it('with an id map that holds another type than the id', () => {
    class Balance {
      @ProjectionId() accountId!: string;
      @ProjectionId() year!: number;

      // @ts-expect-error - a number for an id that is text
      @Handles(Audited, { accountId: 'count' })
      number() {}

      // @ts-expect-error - text for an id that is a number
      @Handles(Audited, { year: 'auditor' })
      text() {}

      // @ts-expect-error - a function that finds a number for an id that is text
      @Handles(Audited, { accountId: (event) => event.count })
      computed() {}

      // @ts-expect-error - a function that finds numbers for an id that is text
      @Handles(Audited, { accountId: (event) => [event.count] })
      computedArray() {}

      // @ts-expect-error - an array of text for an id that is a number
      @Handles(Audited, { year: 'accountIds' })
      fannedOut() {}
    }
    expect(Balance.name).toBe('Balance');
  });

  it('with an id map whose function takes another event', () => {
    class Balance {
      @ProjectionId() accountId!: string;

      // @ts-expect-error - the function takes a deposit, and the event is a transfer
      @Handles(Transferred, { accountId: (event: Deposited) => event.accountId })
      computed() {}

      // @ts-expect-error - the event has no such property
      @Handles(Transferred, { accountId: (event) => event.accountId })
      missing() {}
    }
    expect(Balance.name).toBe('Balance');
  });

  it('with what is no class, or on what is no method', () => {
    expect(() => {
      class Balance {
        // @ts-expect-error - the name of an event is not its class
        @Handles('account.deposited')
        name() {}
      }
      return Balance;
    }).toThrow(/is no event class/);
    expect(() => {
      class Balance {
        // @ts-expect-error - a property cannot be overridden, nor found before there is an instance
        @Handles(Deposited)
        property = () => {};
      }
      return Balance;
    }).toThrow(/this is no method/);
  });
});
