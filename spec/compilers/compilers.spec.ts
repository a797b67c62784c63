import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transformSync } from '@swc/core';
import { EventSourcing, InMemoryEventStore, Registry } from 'eventfold';
import type * as Model from './fixtures/model';

const root = join(__dirname, '../../..');
const fixtures = join(root, 'spec/compilers/fixtures');
const source = join(fixtures, 'model.ts');
const run = promisify(execFile);
const bin = (name: string) => join(root, 'node_modules/.bin', name);

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'eventfold-compilers-'));
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(root, join(directory, 'node_modules/eventfold'));
  for (const file of ['model.ts', 'mistakes.ts']) cpSync(join(fixtures, file), join(directory, file));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Compiles, and checks the types, as a project with these options would. */
async function tsc(name: string, options: object, file = 'model'): Promise<string> {
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2023', 'ESNext.Decorators'],
    module: 'node20',
    strict: true,
    skipLibCheck: true,
    types: [],
    outDir: name,
    ...options,
  };
  const config = join(directory, `tsconfig.${name}.json`);
  writeFileSync(config, JSON.stringify({ compilerOptions, files: [`${file}.ts`] }));
  await run(bin('tsc'), ['-p', config]);
  return readFileSync(join(directory, name, `${file}.js`), 'utf8');
}

async function esbuild(compilerOptions: object): Promise<string> {
  const { stdout } = await run(bin('esbuild'), [
    source,
    '--format=cjs',
    '--target=es2022',
    `--tsconfig-raw=${JSON.stringify({ compilerOptions })}`,
  ]);
  return stdout;
}

function swc(transform: object): string {
  const jsc = { parser: { syntax: 'typescript', decorators: true }, target: 'es2022', transform } as const;
  return transformSync(readFileSync(source, 'utf8'), { jsc, module: { type: 'commonjs' }, swcrc: false, configFile: false }).code;
}

const legacy = { experimentalDecorators: true };

const modes: readonly [string, () => Promise<string> | string][] = [
  ['tsc with decorator metadata', () => tsc('metadata', { ...legacy, emitDecoratorMetadata: true })],
  ['tsc without decorator metadata', () => tsc('legacy', legacy)],
  ['tsc with fields that are assigned', () => tsc('assigned', { ...legacy, useDefineForClassFields: false })],
  ['tsc to ES2021', () => tsc('es2021', { ...legacy, target: 'ES2021' })],
  ['tsc with standard decorators', () => tsc('standard', {})],
  ['tsc with standard decorators to ES2021', () => tsc('standard-es2021', { target: 'ES2021' })],
  ['esbuild with experimental decorators', () => esbuild(legacy)],
  ['esbuild with standard decorators', () => esbuild({})],
  ['swc with decorator metadata', () => swc({ legacyDecorator: true, decoratorMetadata: true })],
  ['swc without decorator metadata', () => swc({ legacyDecorator: true })],
  ['swc with standard decorators', () => swc({ decoratorVersion: '2022-03' })],
];

function load(code: string): typeof Model {
  const module = { exports: {} };
  new Function('require', 'module', 'exports', code)(require, module, module.exports);
  return module.exports as typeof Model;
}

const classesOf = ({ Account, Auditor, Balance, Flow }: typeof Model) => [Account, Auditor, Balance, Flow];

describe('A mistake that the types show', () => {
  it.each([
    ['experimental', legacy],
    ['standard', {}],
  ])(
    'is an error of the compiler with %s decorators',
    async (kind, options) => {
      await expect(tsc(`mistakes-${kind}`, options, 'mistakes')).resolves.toContain('Balance');
    },
    60_000,
  );
});

describe.each(modes)('A model compiled by %s', (_mode, compile) => {
  let model: typeof Model;

  beforeAll(async () => {
    model = load(await compile());
  });

  it('comes to the registry that its decorators say', () => {
    const registry = Registry.of(classesOf(model));
    const described = [...registry.aggregates(), ...registry.projections()];
    expect(registry.events()).toStrictEqual([
      { class: 'Audited', type: 'Audited', schemaVersion: 1, handledBy: ['Auditor', 'Balance'] },
      { class: 'Deposited', type: 'account.deposited', schemaVersion: 2, handledBy: ['Account', 'Balance'] },
      { class: 'Transferred', type: 'account.transferred', schemaVersion: 1, handledBy: ['Account', 'Balance', 'Flow'] },
    ]);
    expect(described.map(({ handlers: _handlers, ...rest }) => rest)).toStrictEqual([
      {
        kind: 'aggregate',
        class: 'Account',
        name: 'Account',
        ids: ['accountId'],
        commands: ['deposit', 'send'],
        guard: 'boundary',
        sharedWith: {},
      },
      {
        kind: 'aggregate',
        class: 'Auditor',
        name: 'auditor',
        ids: ['auditor'],
        commands: ['audit'],
        guard: 'boundary',
        sharedWith: {},
      },
      { kind: 'projection', class: 'Balance', name: 'Balance', ids: ['accountId'], commands: [], mode: 'inline' },
      { kind: 'projection', class: 'Flow', name: 'flow', ids: ['from', 'to'], commands: [], mode: 'live' },
    ]);
    expect(described.flatMap(({ handlers }) => handlers)).toStrictEqual([
      { class: 'Account', method: 'deposited', event: 'account.deposited', ids: { accountId: 'accountId' } },
      { class: 'Account', method: 'sent', event: 'account.transferred', ids: { accountId: 'from' } },
      { class: 'Account', method: 'received', event: 'account.transferred', ids: { accountId: 'to' } },
      { class: 'Auditor', method: 'Symbol(closing)', event: 'Audited', ids: { auditor: 'auditor' } },
      { class: 'Balance', method: 'deposited', event: 'account.deposited', ids: { accountId: 'accountId' } },
      { class: 'Balance', method: 'sent', event: 'account.transferred', ids: { accountId: 'from' } },
      {
        class: 'Balance',
        method: 'received',
        event: 'account.transferred',
        ids: { accountId: { computed: expect.stringMatching(/^\(event\)\s*=>\s*event\.to$/) } },
      },
      { class: 'Balance', method: 'audited', event: 'Audited', ids: { accountId: 'accountIds' } },
      { class: 'Flow', method: 'transferred', event: 'account.transferred', ids: { from: 'from', to: 'to' } },
    ]);
    expect(registry.toMermaid()).toBe(
      [
        'flowchart LR',
        '  e0(["Audited"])',
        '  e1(["account.deposited"])',
        '  e2(["account.transferred"])',
        '  c0{{"Account\nboundary · accountId"}}',
        '  e1 --> c0',
        '  e2 -- "accountId = from" --> c0',
        '  e2 -- "accountId = to" --> c0',
        '  c1{{"Auditor\nboundary · auditor"}}',
        '  e0 --> c1',
        '  c2[("Balance\ninline · accountId")]',
        '  e1 --> c2',
        '  e2 -- "accountId = from" --> c2',
        '  e2 -- "accountId = ƒ" --> c2',
        '  e0 -- "accountId = accountIds" --> c2',
        '  c3[("Flow\nlive · from · to")]',
        '  e2 --> c3',
      ].join('\n'),
    );
  });

  it('runs commands, refuses them, and keeps its projections up to date', async () => {
    const { Account, Auditor, Balance, Deposited, Flow } = model;
    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: classesOf(model) });
    const one = await es.create(Account, { accountId: 'one' });
    const auditor = await es.create(Auditor, { auditor: 'eve' });
    expect(await one.deposit(100)).toBe(100);
    await one.transfer('two', 30);
    await expect(one.transfer('two', 71)).rejects.toThrow('one holds 70');
    await auditor.audit('one', 'two');
    const two = await es.loadOrCreate(Account, { accountId: 'two' });
    await two.transfer('one', 10);

    expect(await es.projections.get(Balance, { accountId: 'one' })).toStrictEqual(
      Object.assign(new Balance(), { accountId: 'one', balance: 80, lastPlace: 'account.deposited 1', audits: 1 }),
    );
    expect((await es.projections.get(Balance, { accountId: 'two' }))?.balance).toBe(20);
    expect((await es.projections.get(Flow, { from: 'one', to: 'two' }))?.amount).toBe(30);
    expect((await es.load(Auditor, { auditor: 'eve' })).audits).toBe(1);
    for await (const { data } of es.events({ types: [Deposited] })) {
      expect(data).toStrictEqual(Object.assign(new Deposited(), { accountId: 'one', amount: 100 }));
      break;
    }
    await es.close();
  });

  it('is refused at start-up, with the same mistakes, when it is wrong', async () => {
    const { Balance, Deposited } = model;
    class Untold extends Deposited {}
    const opening = EventSourcing.open({ store: new InMemoryEventStore(), classes: [Balance, Balance, Untold] });
    await expect(opening).rejects.toMatchObject({
      mistakes: [
        { code: 'LISTED_TWICE', class: 'Balance' },
        { code: 'UNDECORATED_CLASS', class: 'Untold' },
      ],
    });
  });
});
