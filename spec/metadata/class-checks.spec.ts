import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as swc from '@swc/core';
import { registerDecorator, ValidatorConstraint } from 'class-validator';
import { transformSync } from 'esbuild';
import {
  Aggregate,
  AggregateRoot,
  type Class,
  Command,
  Event,
  EventSourcing,
  Handles,
  InMemoryEventStore,
  type Mistake,
  type MistakeCode,
  Projection,
  ProjectionId,
  StartUpError,
} from 'eventfold';

@Event('account.opened')
class Opened {
  accountId!: string;
}

@Event('account.moved')
class Moved {
  from!: string;
  to!: string;
}

class Undecorated {
  accountId!: string;
}

abstract class AccountBase extends AggregateRoot<'accountId'> {
  @ProjectionId() readonly accountId!: string;

  @Handles(Opened)
  protected opened() {}
}

async function mistakesOf(...classes: unknown[]): Promise<readonly Mistake[]> {
  const store = new InMemoryEventStore();
  try {
    await (await EventSourcing.open({ store, classes: classes as never })).close();
    return [];
  } catch (error) {
    if (error instanceof StartUpError) return error.mistakes;
    throw error;
  }
}

type UpcasterMistake =
  | 'NO_UPCASTERS'
  | 'UPCASTER_OF_NO_EVENT'
  | 'TWO_UPCASTERS'
  | 'UPCASTER_GAP'
  | 'UPCASTER_CYCLE'
  | 'UPCASTER_AHEAD'
  | 'PASSED_OVER_EVENT';

/** What the classes alone show; the rest is for a store on a database to find, or shown by upcasters. */
type ClassMistakeCode = Exclude<MistakeCode, 'UNFIT_STATE' | UpcasterMistake>;

/** For each code: classes with that one mistake, and where it is. */
const examples: Record<ClassMistakeCode, () => { classes: unknown[]; class: string; member?: string }> = {
  NOT_A_CLASS: () => ({ classes: [undefined], class: 'undefined' }),

  UNDECORATED_CLASS: () => ({ classes: [Undecorated], class: 'Undecorated' }),

  TWO_KINDS: () => {
    @Aggregate()
    @Projection()
    class Account extends AccountBase {}
    return { classes: [Account], class: 'Account' };
  },

  LISTED_TWICE: () => {
    @Aggregate()
    class Account extends AccountBase {}
    return { classes: [Account, Account], class: 'Account' };
  },

  DUPLICATE_NAME: () => {
    @Aggregate({ name: 'account' })
    class Account extends AccountBase {}
    @Aggregate({ name: 'account' })
    class Savings extends AccountBase {}
    return { classes: [Account, Savings], class: 'Savings' };
  },

  DUPLICATE_EVENT_NAME: () => {
    @Event('account.opened')
    class OpenedAgain {}
    @Aggregate()
    class Account extends AccountBase {}
    return { classes: [Account, OpenedAgain], class: 'Opened' };
  },

  NOT_AN_EVENT: () => {
    @Aggregate()
    class Account extends AccountBase {
      @Handles(Undecorated)
      protected happened() {}
    }
    return { classes: [Account], class: 'Account', member: 'happened' };
  },

  NO_HANDLERS: () => {
    @Aggregate()
    class Account extends AggregateRoot {}
    return { classes: [Account], class: 'Account' };
  },

  DUPLICATE_HANDLER: () => {
    @Aggregate()
    class Account extends AccountBase {
      @Handles(Opened)
      protected openedToo() {}
    }
    return { classes: [Account], class: 'Account', member: 'openedToo' };
  },

  UNKNOWN_ID: () => {
    @Projection()
    class Balance {
      @ProjectionId() accountId!: string;
      owner!: string;

      @Handles(Opened, { owner: 'accountId' })
      opened() {}
    }
    return { classes: [Balance], class: 'Balance', member: 'opened' };
  },

  UNRESOLVED_ID: () => {
    @Projection()
    class Balance {
      @ProjectionId() accountId!: string;

      @Handles(Moved)
      moved() {}
    }
    return { classes: [Balance], class: 'Balance', member: 'moved' };
  },

  DUPLICATE_COMMAND: () => {
    @Aggregate()
    class Account extends AccountBase {
      @Command()
      async open() {}

      @Command({ name: 'open' })
      async openToo() {}
    }
    return { classes: [Account], class: 'Account', member: 'openToo' };
  },

  HANDLER_AND_COMMAND: () => {
    @Aggregate()
    class Account extends AccountBase {
      @Command()
      @Handles(Moved, { accountId: 'from' })
      async move() {}
    }
    return { classes: [Account], class: 'Account', member: 'move' };
  },

  MISPLACED_COMMAND: () => {
    @Projection()
    class Balance {
      @Handles(Opened)
      opened() {}

      @Command()
      async open() {}
    }
    return { classes: [Balance], class: 'Balance', member: 'open' };
  },

  NO_AGGREGATE_ROOT: () => {
    @Aggregate()
    class Account {
      @Handles(Opened)
      opened() {}
    }
    return { classes: [Account], class: 'Account' };
  },

  CONSTRUCTOR_ARGUMENTS: () => {
    @Aggregate()
    class Account extends AccountBase {
      constructor(readonly owner: string) {
        super();
      }
    }
    return { classes: [Account], class: 'Account', member: 'constructor' };
  },

  PRIVATE_STATE: () => {
    @Aggregate()
    class Account extends AccountBase {
      #balance = 0;

      get balance() {
        return this.#balance;
      }
    }
    return { classes: [Account], class: 'Account', member: '#balance' };
  },

  RESERVED_NAME: () => {
    @Projection()
    class Balance {
      emitted = 0;

      emit() {
        this.emitted += 1;
      }

      @Handles(Opened)
      opened() {}
    }
    return { classes: [Balance], class: 'Balance', member: 'emit' };
  },

  ASYNC_VALIDATOR: () => {
    @ValidatorConstraint({ async: true })
    class IsFree {
      async validate() {
        return true;
      }
    }
    @Event('account.claimed')
    class Claimed {
      accountId!: string;
    }
    registerDecorator({ target: Claimed, propertyName: 'accountId', validator: IsFree, options: {} });
    @Aggregate()
    class Account extends AccountBase {
      @Handles(Claimed)
      protected claimed() {}
    }
    return { classes: [Account], class: 'Account', member: 'accountId' };
  },
};

describe('A mistake in the annotated classes', () => {
  it.each(Object.keys(examples) as ClassMistakeCode[])('is found: %s, with its class, its member and a remedy', async (code) => {
    const { classes, ...place } = examples[code]();
    const mistakes = await mistakesOf(...classes);
    expect(mistakes.map(({ problem: _problem, remedy: _remedy, ...rest }) => rest)).toStrictEqual([{ code, ...place }]);
    expect(mistakes[0]?.problem).toMatch(/^.{8,}[^.]$/);
    expect(mistakes[0]?.remedy).toMatch(/^\S.{6,}[^.]$/);
  });

  it('stores nothing and leaves the store open for another try', async () => {
    const store = new InMemoryEventStore();
    await expect(EventSourcing.open({ store, classes: [Undecorated] })).rejects.toBeInstanceOf(StartUpError);
    const es = await EventSourcing.open({ store, classes: [Opened] });
    expect(await store.head()).toBeUndefined();
    await es.close();
  });
});

describe('StartUpError', () => {
  it('reports all mistakes of all classes at once', async () => {
    @Aggregate({ name: 'account' })
    class Account extends AccountBase {
      #secret = 1;

      @Command()
      async open() {
        return this.#secret;
      }

      @Command({ name: 'open' })
      async openToo() {}

      @Handles(Undecorated)
      protected happened() {}
    }
    @Projection({ name: 'account' })
    class Balance {
      @ProjectionId() accountId!: string;

      @Handles(Moved)
      moved() {}

      @Handles(Opened)
      opened() {}

      @Handles(Opened)
      openedToo() {}
    }
    const mistakes = await mistakesOf(undefined, Account, Undecorated, Balance, Balance);
    expect(mistakes.map((mistake) => `${mistake.code} ${mistake.class}.${mistake.member ?? ''}`).sort()).toStrictEqual([
      'DUPLICATE_COMMAND Account.openToo',
      'DUPLICATE_HANDLER Balance.openedToo',
      'DUPLICATE_NAME Balance.',
      'LISTED_TWICE Balance.',
      'NOT_AN_EVENT Account.happened',
      'NOT_A_CLASS undefined.',
      'PRIVATE_STATE Account.#secret',
      'UNDECORATED_CLASS Undecorated.',
      'UNRESOLVED_ID Balance.moved',
    ]);
  });

  it('says in its message of each mistake where it is, what is so and what to do', async () => {
    @Projection()
    class Balance {
      @ProjectionId() accountId!: string;

      @Handles(Moved)
      moved() {}
    }
    await expect(EventSourcing.open({ store: new InMemoryEventStore(), classes: [Balance, Undecorated] })).rejects.toThrow(
      [
        '2 mistakes in the annotated classes:',
        '  - Balance.moved: account.moved has no property "accountId" to take the id "accountId" from. ' +
          'Map it: @Handles(Moved, { accountId: … }). [UNRESOLVED_ID]',
        '  - Undecorated: it has no decorator. ' +
          'Put @Aggregate(), @Projection(), @Reactor() or @Event() on it; a subclass does not inherit them. [UNDECORATED_CLASS]',
      ].join('\n'),
    );
  });

  it.each([
    [null, 'null'],
    ['Account', '"Account"'],
    [7, '7'],
    [{}, 'an object of Object'],
    [() => undefined, 'an anonymous function'],
    [Symbol('Account'), 'Symbol(Account)'],
  ])('names %p, which is no class', async (listed, name) => {
    expect(await mistakesOf(listed)).toMatchObject([{ code: 'NOT_A_CLASS', class: name, remedy: 'List classes only' }]);
  });

  it('is what registering a projection later is refused with, and what runs goes on', async () => {
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Opened] });
    await expect(es.projections.register(Undecorated)).rejects.toMatchObject({
      code: 'START_UP',
      mistakes: [{ code: 'UNDECORATED_CLASS' }],
    });
    expect(es.registry.classes).toStrictEqual([Opened]);
    await es.close();
  });
});

describe('A class without mistakes', () => {
  it('may handle one event through different maps', async () => {
    @Projection()
    class Balance {
      @ProjectionId() accountId!: string;

      @Handles(Moved, { accountId: 'from' })
      sent() {}

      @Handles(Moved, { accountId: 'to' })
      received() {}

      @Handles(Moved, { accountId: (event) => event.to })
      computed() {}
    }
    expect(await mistakesOf(Balance)).toStrictEqual([]);
  });

  it('may write "#" in text and comments', async () => {
    @Projection()
    class Balance {
      // #commented = 1;
      colour = ' #fff;';
      other = " #abc = '1';";
      template = ` #x = 1; `;

      @Handles(Opened)
      opened() {}
    }
    expect(await mistakesOf(Balance)).toStrictEqual([]);
  });

  it('may be an aggregate with #private methods, which hold no state', async () => {
    @Aggregate()
    class Account extends AccountBase {
      @Command()
      async open() {
        this.#emitOpened();
      }

      #emitOpened() {
        this.emit(Opened);
      }
    }
    expect(await mistakesOf(Account)).toStrictEqual([]);
  });

  it('may take ids from getters of an event and from properties with a value', async () => {
    @Event('account.named')
    class Named {
      name!: string;
      accountId = '';

      get owner() {
        return this.name;
      }
    }
    @Projection()
    class Owner {
      @ProjectionId() owner!: string;

      @Handles(Named)
      named() {}
    }
    expect(await mistakesOf(Owner)).toStrictEqual([]);
  });

  it('may handle events whose constructor takes arguments, of which nothing is known before one is stored', async () => {
    @Event('account.renamed')
    class Renamed {
      constructor(readonly accountName: string) {}
    }
    @Projection()
    class Owner {
      @ProjectionId() accountId!: string;

      @Handles(Renamed)
      renamed() {}
    }
    expect(await mistakesOf(Owner)).toStrictEqual([]);
  });
});

describe('The mistakes of one class', () => {
  it('are also those that it inherits', async () => {
    class Base {
      #state = 1;

      @Handles(Opened)
      opened() {
        this.#state += 1;
      }
    }
    class BaseWithArguments {
      constructor(readonly owner: string) {}

      @Handles(Opened)
      opened() {}
    }
    @Projection()
    class Balance extends Base {}
    @Projection()
    class Named extends BaseWithArguments {}
    @Projection()
    class Mended extends BaseWithArguments {
      constructor() {
        super('nobody');
      }
    }
    const mistakes = await mistakesOf(Balance, Named, Mended);
    expect(mistakes.map(({ code, class: name, member }) => [code, name, member])).toStrictEqual([
      ['PRIVATE_STATE', 'Balance', '#state'],
      ['CONSTRUCTOR_ARGUMENTS', 'Named', 'constructor'],
    ]);
  });

  it('are, of a projection, #private methods too: copies for readers lack them', async () => {
    @Projection()
    class Balance {
      total = 0;

      @Handles(Opened)
      opened() {
        this.#count();
      }

      #count() {
        this.total += 1;
      }
    }
    expect(await mistakesOf(Balance)).toMatchObject([{ code: 'PRIVATE_STATE', member: '#count' }]);
  });

  it.each(['es2020', 'es2022'])('are #private fields, compiled for %s by esbuild, swc and tsc', async (target) => {
    const source = 'class Balance extends Base { #total = 0; total() { return this.#total; } }';
    const folder = mkdtempSync(join(tmpdir(), 'eventfold-'));
    writeFileSync(join(folder, 'balance.ts'), `declare const Base: any; ${source}`);
    const options = [join(folder, 'balance.ts'), '--target', target, '--ignoreConfig', '--outDir', folder];
    execFileSync(process.execPath, [join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc'), ...options], {
      stdio: 'pipe',
    });
    const compiled = [
      transformSync(source, { target }).code,
      swc.transformSync(source, { jsc: { target: target as 'es2020', externalHelpers: false, parser: { syntax: 'typescript' } } })
        .code,
      readFileSync(join(folder, 'balance.js'), 'utf8'),
    ];
    rmSync(folder, { recursive: true });
    for (const code of compiled) {
      const Balance = new Function('Base', `${code}; return Balance;`)(AccountBase) as Class;
      Aggregate()(Balance);
      expect(await mistakesOf(Balance)).toMatchObject([{ code: 'PRIVATE_STATE', member: '#total' }]);
    }
  });

  it('are two handlers that name the same sources in different words', async () => {
    @Projection()
    class Balance {
      @ProjectionId() from!: string;

      @Handles(Moved)
      one() {}

      @Handles(Moved, { from: 'from' })
      two() {}
    }
    expect(await mistakesOf(Balance)).toMatchObject([{ code: 'DUPLICATE_HANDLER', member: 'two' }]);
  });

  it('are every handled class that is no event, and every ignored one', async () => {
    class OpenedAgain extends Opened {}
    @Aggregate({ strict: true, ignores: [Undecorated] })
    class Account extends AccountBase {
      @Handles(OpenedAgain)
      protected again() {}
    }
    expect(await mistakesOf(Account)).toMatchObject([
      { code: 'NOT_AN_EVENT', member: 'again', remedy: 'Put @Event() on OpenedAgain' },
      { code: 'NOT_AN_EVENT', remedy: 'Put @Event() on Undecorated' },
    ]);
  });

  it('are names of its own that the framework uses', async () => {
    @Aggregate()
    class Account extends AggregateRoot {
      @ProjectionId() readonly accountId!: string;

      @Handles(Opened)
      protected opened() {}

      protected override emit() {}
    }
    @Projection()
    class Balance extends AccountBase {}
    expect(await mistakesOf(Account, Balance)).toMatchObject([
      { code: 'RESERVED_NAME', class: 'Account', member: 'emit' },
      { code: 'RESERVED_NAME', class: 'Balance', member: 'emit' },
    ]);
  });
});
