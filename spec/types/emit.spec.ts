import { Aggregate, AggregateRoot, createEvent, Event, Handles, ProjectionId, uncommittedEvents } from 'eventfold';

@Event('account.opened')
class Opened {
  accountId!: string;
  readonly owner!: string;
  note?: string;
}

@Event('account.moved')
class Moved {
  from!: string;
  to!: string;

  get route() {
    return `${this.from}-${this.to}`;
  }

  describe() {
    return this.route;
  }
}

@Event('account.touched')
class Touched {
  accountId!: string;
  note?: string;
}

@Aggregate()
class Account extends AggregateRoot<'accountId' | 'from'> {
  @ProjectionId() readonly accountId!: string;

  compiles() {
    this.emit(Opened, { owner: 'me' });
    this.emit(Opened, { owner: 'me', note: 'x' });
    this.emit(Opened, { owner: 'me', accountId: this.accountId });
    this.emit(Touched);
    this.emit(Touched, {});
    this.emit(Moved, { to: 'b', route: 'x' });
  }

  doesNotCompile() {
    // @ts-expect-error - "owner" is required
    this.emit(Opened, {});
    // @ts-expect-error - so is the payload, then
    this.emit(Opened);
    // @ts-expect-error - "owner" is text
    this.emit(Opened, { owner: 7 });
    // @ts-expect-error - "owner" cannot be undefined
    this.emit(Opened, { owner: undefined });
    // @ts-expect-error - the event has no property "colour"
    this.emit(Opened, { owner: 'me', colour: 'red' });
    // @ts-expect-error - the id is text
    this.emit(Opened, { owner: 'me', accountId: 7 });
    // @ts-expect-error - "to" is not filled in, other than "from"
    this.emit(Moved, { route: 'x' });
    // @ts-expect-error - a method is no data
    this.emit(Moved, { to: 'b', route: 'x', describe: () => 'x' });
    // @ts-expect-error - the name of an event is not its class
    this.emit('account.touched', {});
  }

  @Handles(Opened)
  @Handles(Touched)
  protected happened() {}
}

@Aggregate()
class Ledger extends AggregateRoot {
  @ProjectionId() readonly accountId!: string;

  compiles() {
    this.emit(Touched, { accountId: 'a' });
  }

  doesNotCompile() {
    // @ts-expect-error - AggregateRoot is not told that it fills in "accountId"
    this.emit(Touched, { note: 'x' });
  }

  @Handles(Touched)
  protected happened() {}
}

describe('AggregateRoot.emit', () => {
  it('compiles with the required data of the event, its ids optional', () => {
    const account = Object.assign(new Account(), { accountId: 'a' });
    expect(() => account.compiles()).toThrow(/Moved/);
    expect(uncommittedEvents(account)).toHaveLength(5);
  });

  it('compiles without ids only where the type argument of AggregateRoot names them', () => {
    const ledger = Object.assign(new Ledger(), { accountId: 'a' });
    ledger.compiles();
    ledger.doesNotCompile();
    expect(uncommittedEvents(ledger)).toHaveLength(2);
  });

  it('compiles inside of the aggregate only', () => {
    const account = Object.assign(new Account(), { accountId: 'a' });
    // @ts-expect-error - only the aggregate's own commands decide
    account.emit(Touched);
    expect(uncommittedEvents(account)).toHaveLength(1);
    expect(account.doesNotCompile).toBeInstanceOf(Function);
  });
});

describe('createEvent', () => {
  it('compiles with all required data, ids included', () => {
    expect(createEvent(Touched, { accountId: 'a' })).toStrictEqual(Object.assign(new Touched(), { accountId: 'a' }));
    // @ts-expect-error - "accountId" is required: there is no instance to take it from
    expect(createEvent(Touched, { note: 'x' })).toMatchObject({ note: 'x' });
    // @ts-expect-error - the event has no property "colour"
    expect(createEvent(Touched, { accountId: 'a', colour: 'red' })).toMatchObject({ colour: 'red' });
    // @ts-expect-error - "accountId" is text
    expect(createEvent(Touched, { accountId: 7 })).toMatchObject({ accountId: 7 });
  });
});
