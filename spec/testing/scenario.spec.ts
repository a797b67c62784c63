import { AssertionError } from 'node:assert';
import { IsPositive } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Command,
  Event,
  type EventContext,
  EventValidationError,
  Handles,
  InvalidArgumentError,
  InvalidIdError,
  OptimisticLockError,
  Projection,
  ProjectionError,
  ProjectionId,
  Reactor,
  StartUpError,
} from 'eventfold';
import { AggregateScenario, fixedClock, ProjectionScenario, scenario, sequentialIds } from 'eventfold/testing';

@Event('deposited')
class Deposited {
  accountId!: string;
  @IsPositive() amount!: number;
}

@Event('withdrawn')
class Withdrawn {
  accountId!: string;
  amount!: number;
}

@Event('sent')
class Sent {
  from!: string;
  to!: string;
  amount!: number;
}

@Event('noted')
class Noted {
  text!: string;
}

class Overdrawn extends Error {
  constructor(readonly missing: number) {
    super(`${missing} too little`);
  }
}

@Aggregate()
class Account extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;
  private balance = 0;
  tries = 0;

  @Command()
  async deposit(amount: number) {
    this.emit(Deposited, { amount });
  }

  @Command()
  async withdraw(amount: number) {
    if (amount > this.balance) throw new Overdrawn(amount - this.balance);
    if (amount > 0) this.emit(Withdrawn, { amount });
  }

  @Command()
  async clear() {
    while (this.balance > 0) this.emit(Withdrawn, { amount: Math.min(this.balance, 40) });
  }

  /** Forgets that state follows from events alone. */
  @Command()
  async cheat() {
    this.tries += 1;
  }

  @Handles(Deposited)
  protected deposited(event: Deposited) {
    this.balance += event.amount;
  }

  @Handles(Withdrawn)
  protected withdrawn(event: Withdrawn) {
    this.balance -= event.amount;
  }
}

@Aggregate()
class Purse extends AggregateRoot<'purse'> {
  @ProjectionId() readonly purse!: string;
  private coins = 10;

  @Command()
  async send(to: string, amount: number) {
    if (amount > this.coins) throw new Overdrawn(amount - this.coins);
    this.emit(Sent, { from: this.purse, to, amount });
  }

  @Handles(Sent, { purse: 'from' })
  protected sent(event: Sent) {
    this.coins -= event.amount;
  }

  @Handles(Sent, { purse: 'to' })
  protected received(event: Sent) {
    this.coins += event.amount;
  }
}

@Projection()
class Balance {
  @ProjectionId() accountId!: string;
  balance = 0;
  readonly contexts: string[] = [];

  @Handles(Deposited)
  deposited(event: Deposited, { id, stream, time }: EventContext) {
    if (event.amount === 13) throw new RangeError('unlucky');
    this.balance += event.amount;
    this.contexts.push(`${id} ${stream} ${time}`);
  }
}

@Projection({ mode: 'live' })
class Log {
  lines: string[] = [];

  @Handles(Noted)
  noted(event: Noted) {
    this.lines.push(event.text);
  }
}

const accountId = 'a';
const rich = scenario(Account, { accountId }).given(Deposited, { amount: 90 });

/** What the promise rejects with: an assertion's failure. */
async function failureOf(outcome: PromiseLike<unknown>): Promise<AssertionError> {
  try {
    await outcome;
  } catch (error) {
    expect(error).toMatchObject({ name: 'AssertionError', code: 'ERR_ASSERTION' });
    return error as AssertionError;
  }
  throw new Error('the assertion passed');
}

describe('scenario of an aggregate', () => {
  it('passes when the command emits exactly the expected events, in order', async () => {
    await rich.when((account) => account.withdraw(50)).thenEmits(Withdrawn, { amount: 50 });
    await rich
      .when((account) => account.clear())
      .thenEmits(Withdrawn, { accountId, amount: 40 })
      .thenEmits(Withdrawn, { amount: 40 })
      .thenEmits(Withdrawn, { amount: 10 });
  });

  it.each(
    [
      ['another value', rich.when((account) => account.withdraw(50)).thenEmits(Withdrawn, { amount: 51 })],
      ['another instance', rich.when((account) => account.withdraw(50)).thenEmits(Withdrawn, { accountId: 'b', amount: 50 })],
      ['another class', rich.when((account) => account.withdraw(50)).thenEmits(Deposited, { amount: 50 })],
      ['fewer', rich.when((account) => account.clear()).thenEmits(Withdrawn, { amount: 40 })],
      [
        'more',
        rich
          .when((account) => account.withdraw(90))
          .thenEmits(Withdrawn, { amount: 90 })
          .thenEmits(Withdrawn, { amount: 1 }),
      ],
      ['none', rich.when((account) => account.withdraw(0)).thenEmits(Withdrawn, { amount: 0 })],
      ['nothing', rich.when((account) => account.withdraw(1)).thenEmitsNothing()],
    ].map(([what, outcome]) => [what as string, failureOf(outcome as PromiseLike<void>)] as const),
  )('fails when other events are expected: %s', async (_what, failure) => {
    expect((await failure).message).toContain('The command did not emit what was expected:');
  });

  it('shows in a failure what differs, and where the assertion stands', async () => {
    const failure = await failureOf(rich.when((account) => account.withdraw(50)).thenEmits(Withdrawn, { amount: 51 }));
    expect(failure.message).toMatch(/Withdrawn \{[^}]*\+\s+amount: 50\n-\s+amount: 51/);
    expect(failure.stack?.split('\n').find((line) => line.startsWith('    at '))).toContain('scenario.spec');
  });

  it('passes when a command that succeeds emits nothing', () => rich.when((account) => account.withdraw(0)).thenEmitsNothing());

  it('fails when a command rejects that should succeed, with the error as its cause', async () => {
    for (const outcome of [
      rich.when((account) => account.withdraw(100)).thenEmitsNothing(),
      rich.when((account) => account.withdraw(100)).thenEmits(Withdrawn, { amount: 100 }),
      rich.when((account) => account.withdraw(100)).thenState({ balance: 90 }),
    ]) {
      const failure = await failureOf(outcome);
      expect(failure.message).toContain('Overdrawn: 10 too little');
      expect(failure.cause).toStrictEqual(new Overdrawn(10));
    }
  });

  it('passes when the command rejects with the class and the fields', async () => {
    await rich.when((account) => account.withdraw(100)).thenRejects(Overdrawn);
    await rich.when((account) => account.withdraw(100)).thenRejects(Overdrawn, { missing: 10, message: /^10 too/ });
    await rich.when((account) => account.withdraw(100)).thenRejects(Error, { message: '10 too little' });
    await rich.when((account) => account.deposit(-1)).thenRejects(EventValidationError, { event: 'Deposited' });
    await rich
      .when(() => Promise.reject(new Overdrawn(1)))
      .thenRejects(Overdrawn)
      .thenState({ balance: 90 });
  });

  it('counts an error thrown before the first await as a rejection', () =>
    rich
      .when(() => {
        throw new Overdrawn(1);
      })
      .thenRejects(Overdrawn, { missing: 1 }));

  it.each(
    [
      ['success', rich.when((account) => account.withdraw(1)).thenRejects(Overdrawn), 'but it succeeded'],
      ['another class', rich.when((account) => account.withdraw(100)).thenRejects(TypeError), 'Overdrawn: 10 too little'],
      ['another field', rich.when((account) => account.withdraw(100)).thenRejects(Overdrawn, { missing: 11 }), 'differs'],
      ['another text', rich.when((account) => account.withdraw(100)).thenRejects(Overdrawn, { message: /none/ }), 'differs'],
      [
        'no such field',
        rich.when((account) => account.withdraw(100)).thenRejects(Overdrawn, { mising: undefined } as object),
        'differs',
      ],
      [
        'something stored',
        rich
          .when(async (account) => {
            await account.deposit(1);
            await account.withdraw(100);
          })
          .thenRejects(Overdrawn),
        'something was stored',
      ],
    ].map(([what, outcome, message]) => [what as string, failureOf(outcome as PromiseLike<void>), message as string] as const),
  )('fails when another rejection is expected: %s', async (_what, failure, message) => {
    expect((await failure).message).toContain(message);
  });

  it('shows the state after the command, private properties too', async () => {
    await rich.when((account) => account.withdraw(50)).thenState({ accountId, balance: 40 });
    await rich.thenState({ balance: 90 });
    await rich.thenState((account) => expect(account).toBeInstanceOf(Account));
    await scenario(Account, { accountId }).thenState({ balance: 0 });
  });

  it('fails when the state differs', async () => {
    expect((await failureOf(rich.thenState({ balance: 91 }))).message).toContain('The state of Account differs:');
    expect((await failureOf(rich.thenState({ blance: undefined }))).message).toContain('The state of Account differs:');
    expect((await failureOf(rich.thenState((account) => account.tries === 7))).message).toContain('does not pass');
    expect((await failureOf(rich.thenState(async () => false))).message).toContain('does not pass');
    await expect(
      rich.thenState(() => {
        throw new RangeError('mine');
      }),
    ).rejects.toThrow(new RangeError('mine'));
  });

  it('loads the state anew, so that a change outside of handlers is not taken for state', () =>
    rich.when((account) => account.cheat()).thenState({ tries: 0 }));

  it('makes all assertions that are chained', async () => {
    const both = () => rich.when((account) => account.withdraw(50)).thenEmits(Withdrawn, { amount: 50 });
    await both().thenState({ balance: 40 });
    expect((await failureOf(both().thenState({ balance: 0 }))).message).toContain('state');
    expect((await failureOf(both().thenRejects(Overdrawn))).message).toContain('succeeded');
  });

  it('gives events of other instances to those', async () => {
    const purses = scenario(Purse, { purse: 'p' }).given(Sent, { from: 'q', to: 'p', amount: 5 });
    await purses.given(Sent, { from: 'x', to: 'y', amount: 1 }).thenState({ coins: 15 });
    await purses.when((purse) => purse.send('q', 15)).thenEmits(Sent, { from: 'p', to: 'q', amount: 15 });
    await rich.given(Deposited, { accountId: 'b', amount: 5 }).thenState({ balance: 90 });
  });

  it('retries a lost race as the framework does', () => {
    let runs = 0;
    return rich
      .when((account, es) =>
        es.transaction(
          async () => {
            runs += 1;
            await account.withdraw(50);
            if (runs === 1) await es.appendUnguarded(es.streamOf(Account, { accountId }), [rivalDeposit()]);
          },
          { attempts: 2 },
        ),
      )
      .thenEmits(Deposited, { amount: 5 })
      .thenEmits(Withdrawn, { amount: 50 })
      .thenState(() => expect(runs).toBe(2));
  });

  it('sees a lost race that nobody retries', () =>
    rich
      .when(async (account, es) => {
        const rival = await es.load(Account, { accountId });
        await es.create(Account, { accountId }).catch(() => rival);
        return es.append(es.streamOf(Account, { accountId }), [rivalDeposit()], { version: account.tries });
      })
      .thenRejects(OptimisticLockError, { expected: 0, actual: 1 }));

  it('has a fixed clock and sequential ids', async () => {
    const seen: string[] = [];
    await rich
      .when(async (account, es) => {
        await account.deposit(1);
        await es.projections.caughtUp(Balance);
        seen.push(...((await es.projections.get(Balance, { accountId }))?.contexts ?? []));
      })
      .thenEmits(Deposited, { amount: 1 })
      .catch((error: unknown) => expect(String(error)).toContain('no registered projection'));
    await scenario(Account, { accountId }, { classes: [Balance], clock: fixedClock(0), ids: sequentialIds('x') })
      .when(async (account, es) => {
        await account.deposit(1);
        await es.projections.caughtUp(Balance);
        seen.push(...((await es.projections.get(Balance, { accountId }))?.contexts ?? []));
      })
      .thenEmits(Deposited, { amount: 1 });
    expect(seen).toStrictEqual(['x2 Account:a 1970-01-01T00:00:00.000Z']);
  });

  it('refuses a past that the framework would refuse, whatever is expected of the command', async () => {
    const invalid = rich.given(Deposited, { amount: -1 });
    await expect(invalid.when((account) => account.withdraw(1)).thenRejects(EventValidationError)).rejects.toBeInstanceOf(
      EventValidationError,
    );
    await expect(
      scenario(Account, {} as never)
        .when((account) => account.clear())
        .thenRejects(InvalidIdError),
    ).rejects.toBeInstanceOf(InvalidIdError);
    await expect(scenario(Undecorated, {}).thenNoState()).rejects.toBeInstanceOf(StartUpError);
  });
});

describe('scenario that asserts nothing', () => {
  it('fails when awaited without a command', async () => {
    expect((await failureOf(rich as unknown as PromiseLike<void>)).message).toContain('asserts nothing');
    const projection = scenario(Balance, { accountId }) as unknown as PromiseLike<void>;
    expect((await failureOf(projection)).message).toContain('asserts nothing');
  });

  it('fails when awaited without an assertion', async () => {
    expect((await failureOf(rich.when((account) => account.clear()))).message).toContain('asserts nothing');
  });

  it('runs by itself, and fails when nobody awaits it', async () => {
    let runs = 0;
    const outcome = rich
      .when(async (account) => {
        runs += 1;
        await account.clear();
      })
      .thenEmitsNothing();
    const failed = new Promise((resolve) => outcome.catch(resolve));
    expect(await failed).toMatchObject({ code: 'ERR_ASSERTION' });
    expect(runs).toBe(1);
  });

  it('fails when the function given to when does not hand on the promise', async () => {
    const forgotten = rich.when(((account: Account) => {
      void account.withdraw(1);
    }) as never);
    expect((await failureOf(forgotten.thenEmitsNothing())).message).toContain('no promise');
  });

  it('sees what a command that was not awaited emits', async () => {
    const forgotten = rich.when(async (account) => void account.withdraw(1)).thenEmitsNothing();
    expect((await failureOf(forgotten)).message).toContain('did not emit what was expected');
  });

  it('refuses an assertion that comes too late', async () => {
    const outcome = rich.when((account) => account.withdraw(1)).thenEmits(Withdrawn, { amount: 1 });
    await outcome;
    expect(() => outcome.thenState({ balance: 1 })).toThrow(/has run already/);
  });

  it('refuses expectations that could not fail', async () => {
    const cleared = () => rich.when((account) => account.clear());
    for (const outcome of [
      rich.thenState({}),
      rich.thenState(undefined as never),
      cleared().thenState({}),
      scenario(Balance, { accountId }).thenState({}),
      cleared().thenRejects(Error),
      cleared().thenRejects(undefined as never),
      cleared().thenEmits('withdrawn' as never),
    ]) {
      await expect(outcome).rejects.toBeInstanceOf(InvalidArgumentError);
    }
  });

  it('refuses nonsense', () => {
    expect(() => scenario('Account' as never, {} as never)).toThrow(InvalidArgumentError);
    expect(() => scenario(Account, { accountId }, { clok: fixedClock() } as object)).toThrow(InvalidArgumentError);
    expect(() => scenario(Account, { accountId }, null as never)).toThrow(InvalidArgumentError);
    expect(() => scenario(Account, { accountId }, { classes: Balance as never })).toThrow(InvalidArgumentError);
    expect(() => rich.given('deposited' as never)).toThrow(InvalidArgumentError);
    expect(() => rich.given(Deposited, 5 as never)).toThrow(InvalidArgumentError);
    expect(() => rich.when(5 as never)).toThrow(InvalidArgumentError);
  });
});

describe('scenario of a projection', () => {
  const deposits = scenario(Balance, { accountId })
    .given(Deposited, { accountId, amount: 40 })
    .given(Deposited, { accountId: 'b', amount: 7 })
    .given(Deposited, { accountId, amount: 50 });

  it('shows the state of each instance', async () => {
    await deposits.thenState({ balance: 90 }).thenStateOf({ accountId: 'b' }, { balance: 7 }).thenNoState({ accountId: 'c' });
    await deposits.thenState((balance) => expect(balance).toBeInstanceOf(Balance));
    await scenario(Balance, { accountId }).thenNoState();
    await scenario(Log)
      .given(Noted, { text: 'one' })
      .given(Noted, { text: 'two' })
      .thenState({ lines: ['one', 'two'] });
  });

  it('fails when the state differs, is missing, or should be missing', async () => {
    expect((await failureOf(deposits.thenState({ balance: 91 }))).message).toContain(
      'The state of Balance {"accountId":"a"} differs',
    );
    expect((await failureOf(deposits.thenStateOf({ accountId: 'b' }, { balance: 8 }))).message).toContain('differs');
    expect((await failureOf(deposits.thenStateOf({ accountId: 'c' }, { balance: 0 }))).message).toContain('has no state');
    expect((await failureOf(deposits.thenNoState())).message).toContain('has state');
    expect((await failureOf(scenario(Log).thenState({ lines: [] }))).message).toContain('has no state');
  });

  it('lets an event pass that it does not handle', () => deposits.given(Noted, { text: 'x' }).thenState({ balance: 90 }));

  it('puts events into the streams of the aggregates that it is told of', () =>
    scenario(Balance, { accountId }, { classes: [Account] })
      .given(Deposited, { accountId, amount: 1 })
      .thenState({ contexts: ['id-2 Account:a 2020-01-01T00:00:00.000Z'] }));

  it('fails when a handler throws, with its error as the cause', async () => {
    const failure = await failureOf(deposits.given(Deposited, { accountId, amount: 13 }).thenState({ balance: 90 }));
    expect(failure.message).toContain('unlucky');
    expect(failure.cause).toBeInstanceOf(ProjectionError);
  });
});

describe('scenario, to the compiler', () => {
  it('knows the data of events, the properties of classes, and what may be awaited', () => {
    expect(scenario(Account, { accountId })).toBeInstanceOf(AggregateScenario);
    expect(scenario(Balance, { accountId })).toBeInstanceOf(ProjectionScenario);
    expect(refused).toBeInstanceOf(Function);
    async function refused() {
      // @ts-expect-error - the id has another name
      scenario(Account, { account: 'a' });
      // @ts-expect-error - the id is missing
      scenario(Account, {});
      // @ts-expect-error - the id has another name
      scenario(Balance, { account: 'a' });
      // @ts-expect-error - amount is missing
      rich.given(Deposited, {});
      // @ts-expect-error - amount is a number
      rich.given(Deposited, { amount: '90' });
      // @ts-expect-error - a projection fills in no ids
      scenario(Balance, { accountId }).given(Deposited, { amount: 1 });
      // @ts-expect-error - the promise of the command is not handed on
      rich.when((account) => {
        account.clear();
      });
      // @ts-expect-error - amount is a number
      rich.when((account) => account.clear()).thenEmits(Withdrawn, { amount: '1' });
      // @ts-expect-error - missing is a number
      rich.when((account) => account.clear()).thenRejects(Overdrawn, { missing: '1' });
      // @ts-expect-error - tries is a number
      rich.thenState({ tries: '1' });
      // @ts-expect-error - it asserts nothing
      await rich;
      // @ts-expect-error - no command, so nothing is emitted
      rich.thenEmitsNothing();
    }
  });

  it('takes no reactor, which has no state', () => {
    @Reactor()
    class Mailer {
      @Handles(Deposited)
      deposited() {}
    }
    expect(() => scenario(Mailer)).toThrow('Mailer is a reactor, and has no state to look at.');
  });
});

class Undecorated {}

function rivalDeposit(): Deposited {
  return Object.assign(new Deposited(), { accountId, amount: 5 });
}
