import { type AnyAggregate, type EventSourcing, InMemoryEventStore, versionOf } from 'eventfold';
import * as fc from 'fast-check';
import { ChunkedStore } from '../controls/chunked-store';
import { type LedgerBase, ledgers, type PocketBase } from '../controls/ledgers';
import { during } from '../controls/snapshot-stores';
import { Refused } from '../controls/wallets';

const ledgerIds = ['l', 'm'].map((ledgerId) => ({ ledgerId }));
const pocketIds = ['a', 'b', 'c'].map((pocketId) => ({ pocketId }));
const name = fc.constantFrom('a', 'b', 'c');
const amounts = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 });

const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), to: fc.constantFrom(0, 1), amounts }),
  fc.record({ do: fc.constant('refuse' as const), to: fc.constantFrom(0, 1), amounts }),
  fc.record({ do: fc.constant('tamper' as const), to: fc.constantFrom(0, 1), amounts }),
  fc.record({ do: fc.constant('pass' as const), from: name, to: name, amounts }),
  fc.record({ do: fc.constant('passAndRefuse' as const), from: name, to: name, amounts }),
  fc.record({ do: fc.constant('exchange' as const), from: name, to: name, amounts }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Several programs one after another, each with snapshots of its own kind or none. */
const history = fc.array(
  fc.record({
    every: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    isKept: fc.boolean(),
    steps: fc.array(step, { maxLength: 12 }),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Does the steps, on instances that are kept, or loaded anew for each. */
class Program {
  private readonly kept = new Map<string, LedgerBase | PocketBase>();

  constructor(
    private readonly es: EventSourcing,
    private readonly classes: ReturnType<typeof ledgers>,
    private readonly isKept: boolean,
  ) {}

  async run(one: Step): Promise<void> {
    if ('from' in one) await this.pass(one, await this.pocket(one.from), await this.pocket(one.to));
    else await this.add(one, await this.ledger(one.to));
  }

  private async add(one: Extract<Step, { do: 'add' | 'refuse' | 'tamper' }>, ledger: LedgerBase): Promise<void> {
    const [amount = 1] = one.amounts;
    if (one.do === 'add') await ledger.add(...one.amounts);
    else if (one.do === 'refuse') await expect(ledger.addAndRefuse(amount)).rejects.toThrow(Refused);
    else if (!this.isKept) await ledger.tamper(amount);
  }

  private async pass(one: Extract<Step, { from: string }>, from: PocketBase, to: PocketBase): Promise<void> {
    if (one.do === 'pass') await from.pass(one.to, ...one.amounts);
    else if (one.do === 'passAndRefuse') await expect(from.passAndRefuse(one.to, 1)).rejects.toThrow(Refused);
    else
      await this.es.transaction(async () => {
        await from.pass(one.to, ...one.amounts);
        if (from !== to && one.from !== one.to) await to.pass(one.from, 1);
      });
  }

  private ledger(index: number): Promise<LedgerBase> {
    return this.instance(`l${index}`, () => this.es.loadOrCreate(this.classes.Ledger, ledgerIds[index] as never));
  }

  private pocket(pocketId: string): Promise<PocketBase> {
    return this.instance(pocketId, () => this.es.loadOrCreate(this.classes.Pocket, { pocketId }));
  }

  private async instance<A extends LedgerBase | PocketBase>(key: string, load: () => Promise<A>): Promise<A> {
    const instance = ((this.isKept && this.kept.get(key)) || (await load())) as A;
    this.kept.set(key, instance);
    return instance;
  }
}

/** @returns what each instance is when it is loaded by these classes, and the hits. */
async function states(store: InMemoryEventStore, classes: ReturnType<typeof ledgers>) {
  const found: object[] = [];
  const stats = await during(store, Object.values(classes), async (es) => {
    const see = (root: AnyAggregate) => found.push({ ...root, half: undefined, version: versionOf(root) });
    for (const ids of ledgerIds) see(await es.loadOrCreate(classes.Ledger, ids));
    for (const ids of pocketIds) see(await es.loadOrCreate(classes.Pocket, ids));
  });
  return { found, ...stats };
}

describe('loading with snapshots', () => {
  it('gives the same state with a snapshot at version 1, at 2, and none', async () => {
    const outcomes: object[] = [];
    for (const at of [1, 2, undefined]) {
      const store = new InMemoryEventStore();
      for (const [version, amount] of [7, 5, 7].entries()) {
        const { Ledger } = ledgers(version + 1 === at ? { every: 1 } : undefined);
        await during(store, [Ledger], async (es) => (await es.loadOrCreate(Ledger, { ledgerId: 'l' })).add(amount));
      }
      expect((await store.snapshots.load('Ledger:l'))?.version).toBe(at);
      const { found, hits } = await states(store, ledgers({ every: 9 }));
      expect(hits).toBe(at === undefined ? 0 : 1);
      outcomes.push({ ...found[0], latest: undefined });
    }
    expect(outcomes[0]).toMatchObject({ total: 19, lines: [{ count: 2 }, { count: 1 }] });
    expect(outcomes[1]).toStrictEqual(outcomes[0]);
    expect(outcomes[2]).toStrictEqual(outcomes[0]);
  });

  it('gives the state that all events give, after any history and with any frequency', async () => {
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 5 }),
        async (programs, chunk, every) => {
          const store = new ChunkedStore(chunk);
          for (const { every: frequency, isKept, steps } of programs) {
            const classes = ledgers(frequency === undefined ? undefined : { every: frequency });
            await during(store, Object.values(classes), async (es) => {
              const program = new Program(es, classes, isKept);
              for (const one of steps) await program.run(one);
            });
          }
          const folded = await states(store, ledgers());
          const recalled = await states(store, ledgers({ every }));
          expect(recalled.found).toStrictEqual(folded.found);
          expect(recalled.misses).toMatchObject({ revision: 0, shape: 0, corrupt: 0, astray: 0, newer: 0, failed: 0 });
          hits += recalled.hits;
        },
      ),
      { numRuns: 150 },
    );
    expect(hits).toBeGreaterThan(50);
  });
});
