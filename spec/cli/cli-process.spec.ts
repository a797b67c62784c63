import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ContractReport } from 'eventfold/contract';
import { judgeAsyncApi } from '../controls/async-api';

const root = dirname(require.resolve('eventfold/package.json'));
const main = join(root, 'dist/lib/cli/main.js');
const bank = join(root, 'dist/samples/bank/account.js');

const bankClasses = join(root, 'dist/samples/bank/classes.js');

let folder = '';

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'eventfold-cli-')));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function eventfold(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

const commonJs = `const { Account, AccountBalance } = require(${JSON.stringify(bank)});\nexports.classes = [Account, AccountBalance];\n`;
const esModule = `import bank from ${JSON.stringify(bank)};\nexport const classes = [bank.Account, bank.AccountBalance];\n`;

type Report = ContractReport & { readonly isBroken: boolean; readonly isWritten: boolean };

/** An event as a compiler writes it. */
function orders(options: string, property: string): string {
  return `
    const { Event } = require(${JSON.stringify(root)});
    const { IsInt } = require(${JSON.stringify(join(root, 'node_modules/class-validator'))});
    class Placed {}
    IsInt()(Placed.prototype, ${JSON.stringify(property)});
    Event('order.placed', ${options})(Placed);
    exports.classes = [Placed];
  `;
}

describe('eventfold contract', () => {
  it('writes the contract, then passes, then fails at a change that breaks what is stored', () => {
    write('classes.cjs', orders('{}', 'sum'));
    const asked = ['contract', '--classes', 'classes.cjs'];
    expect(eventfold(...asked)).toMatchObject({
      status: 2,
      stdout: expect.stringContaining('There is no eventfold.lock.json yet'),
    });
    expect(eventfold(...asked, '--write')).toStrictEqual({
      status: 0,
      stdout: 'eventfold.lock.json holds 1 event. Commit it.\n',
      stderr: '',
    });
    expect(eventfold(...asked)).toStrictEqual({ status: 0, stdout: 'Everything that is stored can be read.\n', stderr: '' });

    write('classes.cjs', orders('{}', 'total'));
    const lock = readFileSync(join(folder, 'eventfold.lock.json'), 'utf8');
    const broken = eventfold(...asked);
    expect(broken).toMatchObject({ status: 1, stderr: '' });
    expect(broken.stdout).toBe(
      [
        '✗ order.placed, version 1, sum: it is gone, and "total", which is new, looks like it [PROPERTY_RENAMED]',
        "    Keep the name, or put @Expose({ name: 'sum' }) on it; or raise the version: @Event('order.placed', { version: 2 }) and @Upcasts(Placed, { from: 1, to: 2 }).",
        'One change breaks what is stored.',
        '',
      ].join('\n'),
    );
    expect(eventfold(...asked, '--write')).toMatchObject({ status: 1, stdout: expect.stringContaining('Nothing is written.') });
    expect(readFileSync(join(folder, 'eventfold.lock.json'), 'utf8')).toBe(lock);
    expect(eventfold(...asked, '--write', '--accept-breaking')).toMatchObject({ status: 0 });
    expect(eventfold(...asked)).toMatchObject({ status: 0 });
  });

  it('keeps examples, and fails at one that a handler cannot take', () => {
    write('eventfold.config.cjs', commonJs);
    const early = eventfold('contract', '--golden', 'golden');
    expect(early).toMatchObject({
      status: 2,
      stdout: expect.stringContaining('No example is kept before there is a contract.\n'),
    });
    expect(existsSync(join(folder, 'golden'))).toBe(false);
    const first = eventfold('contract', '--write', '--golden', 'golden');
    expect(first).toMatchObject({ status: 0, stdout: expect.stringContaining('+ an example of account.opened version 1\n') });
    write('golden/account.opened.v1.json', '{ "type": "account.opened", "version": 1, "data": {} }');
    const failed = eventfold('contract', '--golden', 'golden');
    expect(failed.status).toBe(1);
    expect(failed.stdout).toContain('✗ golden/account.opened.v1.json, Account.opened: UnresolvedIdError');
    const { golden } = JSON.parse(eventfold('contract', '--golden', 'golden', '--json').stdout) as {
      golden: { failures: unknown[] };
    };
    expect(golden.failures).toHaveLength(2);
  });

  it('reports as JSON', () => {
    write('classes.cjs', orders('{}', 'sum'));
    eventfold('contract', '--classes', 'classes.cjs', '--write', '--lock', 'other.json');
    write('classes.cjs', orders('{ version: 2 }', 'sum'));
    const { status, stdout } = eventfold('contract', '--classes', 'classes.cjs', '--json', '--lock', 'other.json');
    expect(status).toBe(1);
    const report = JSON.parse(stdout) as ContractReport;
    expect(report).toMatchObject({ file: 'other.json', isNew: false, isBroken: true, isOutdated: true, isWritten: false });
    expect(report.changes.map(({ code }) => code)).toStrictEqual(['VERSION_RAISED', 'UPCASTER_MISSING']);
    expect(existsSync(join(folder, 'eventfold.lock.json'))).toBe(false);
  });

  it('ends with 1 at a gap between the listed upcasters, and writes nothing', () => {
    const upcasters = `
      const { upcasts } = require(${JSON.stringify(root)});
      exports.upcasters = [upcasts('order.placed', { from: 1, to: 2 }, (data) => data)];
    `;
    write('classes.cjs', orders('{}', 'sum'));
    eventfold('contract', '--classes', 'classes.cjs', '--write');
    write('classes.cjs', `${orders('{ version: 3 }', 'sum')}${upcasters}`);
    const asked = ['contract', '--classes', 'classes.cjs', '--write', '--accept-breaking', '--golden', 'golden'];
    const { status, stdout, stderr } = eventfold(...asked);
    expect({ status, stderr }).toStrictEqual({ status: 1, stderr: '' });
    expect(stdout).toContain('✗ order.placed, version 2: no upcaster leads on from version 2 [UPCASTER_MISSING]\n');
    expect(stdout).toContain('Write @Upcasts(Placed, { from: 2, to: 3 }) and list it in upcasters.\n');
    expect(stdout).toContain('Nothing is written. Mend the upcasters first.\n');
    const { isBroken, isWritten, changes } = JSON.parse(eventfold(...asked, '--json').stdout) as Report;
    expect({ isBroken, isWritten }).toStrictEqual({ isBroken: true, isWritten: false });
    expect(changes).toContainEqual(expect.objectContaining({ code: 'UPCASTER_MISSING', name: 'order.placed', version: 2 }));
  });

  it.each([
    ['eventfold.config.cjs', commonJs],
    ['eventfold.config.mjs', esModule],
    ['eventfold.config.js', commonJs],
  ])('finds the classes in %s', (name, text) => {
    write(name, text);
    expect(eventfold('contract', '--write')).toMatchObject({ status: 0, stdout: expect.stringContaining('holds 3 events') });
  });

  it('finds them in the module that a config file or package.json names', () => {
    write('classes.mjs', `${esModule}export default { passOver: [] };\n`);
    write('package.json', JSON.stringify({ eventfold: { classes: './classes', lock: 'a.json' } }));
    expect(eventfold('contract', '--write').stdout).toContain('a.json holds 3 events');
    write('eventfold.config.cjs', "module.exports = { classes: './classes.mjs', lock: 'b.json' };\n");
    expect(eventfold('contract', '--write').stdout).toContain('b.json holds 3 events');
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['without any config', {}, /has no eventfold.config.js, and no "eventfold" in its package.json. Give --classes/],
    [
      'with a config that throws',
      { 'eventfold.config.cjs': "throw new Error('no database');" },
      /cannot be loaded: Error: no database\./,
    ],
    ['with a config that is no JavaScript', { 'eventfold.config.cjs': 'classes = [' }, /cannot be loaded: SyntaxError/],
    ['with a config without classes', { 'eventfold.config.cjs': 'exports.things = [];' }, /exports no "classes"/],
    [
      'with classes that are no list',
      { 'eventfold.config.cjs': 'exports.classes = {};' },
      /has an object of Object for "classes", not an array/,
    ],
    ['with a lock that is no path', { 'eventfold.config.cjs': 'exports.classes = []; exports.lock = 5;' }, /has 5 for "lock"/],
    [
      'with a module that is not there',
      { 'package.json': '{ "eventfold": { "classes": "./dist.js" } }' },
      /dist\.js does not exist/,
    ],
    ['with TypeScript', { 'package.json': '{ "eventfold": { "classes": "./a.ts" } }', 'a.ts': '' }, /is TypeScript; compile it/],
    ['with an unknown setting', { 'package.json': '{ "eventfold": { "class": "./a.js" } }' }, /has an unknown "class"/],
    ['with a package.json that is cut', { 'package.json': '{ "eventfold": ' }, /package.json is no JSON/],
    ['with a class that is none', { 'eventfold.config.cjs': 'exports.classes = [undefined];' }, /it is no class.*NOT_A_CLASS/s],
    [
      'with a class without a decorator',
      { 'eventfold.config.cjs': 'exports.classes = [class Plain {}];' },
      /Plain: it has no decorator/,
    ],
    [
      'with a lock file that is cut',
      { 'eventfold.config.cjs': 'exports.classes = [];', 'eventfold.lock.json': '{ "format": 1' },
      /eventfold\.lock\.json is no JSON.*\[UNREADABLE_LOCK\]/,
    ],
    [
      'with a lock file of a later form',
      { 'eventfold.config.cjs': 'exports.classes = [];', 'eventfold.lock.json': '{ "format": 9 }' },
      /is of format 9/,
    ],
  ])('says what is wrong %s', (_, files, problem) => {
    for (const [name, text] of Object.entries(files)) write(name, text);
    const { status, stdout, stderr } = eventfold('contract');
    expect({ status, stdout }).toStrictEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(problem);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});

describe('eventfold describe', () => {
  beforeEach(() => write('eventfold.config.cjs', commonJs));

  it.each([
    ['markdown', ['--title', 'Bank'], /^# Bank\n/],
    ['mermaid', [], /^flowchart LR\n/],
  ])('writes %s', (format, more, beginning) => {
    const { status, stdout } = eventfold('describe', '--format', format, ...more);
    expect(status).toBe(0);
    expect(stdout).toMatch(beginning);
    expect(stdout).toMatch(/[^\n]\n$/);
  });

  it('writes AsyncAPI', () => {
    const { stdout } = eventfold('describe', '--format', 'asyncapi', '--title', 'Bank', '--api-version', '2.0.0');
    const document = JSON.parse(stdout) as object;
    expect(document).toMatchObject({ asyncapi: '3.0.0', info: { title: 'Bank', version: '2.0.0' } });
    expect(judgeAsyncApi(document)).toStrictEqual([]);
  });

  it('writes JSON, with the schema of each event', () => {
    const { events, aggregates } = JSON.parse(eventfold('describe', '--format', 'json').stdout) as {
      events: unknown[];
      aggregates: unknown[];
    };
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'account.deposited', schema: expect.objectContaining({ type: 'object' }) }),
    );
    expect(aggregates).toHaveLength(1);
    write('eventfold.config.cjs', `module.exports = { ...require(${JSON.stringify(bankClasses)}), passOver: ['shown'] };\n`);
    expect(JSON.parse(eventfold('describe', '--format', 'json').stdout)).toMatchObject({
      events: expect.arrayContaining([expect.objectContaining({ type: 'account.transferred', aliases: ['MoneySent'] })]),
      upcasters: expect.arrayContaining([
        expect.objectContaining({ name: 'Amounts.inCents', from: { type: 'account.transferred', version: 2 } }),
      ]),
      passOver: ['shown'],
    });
  });

  it('writes a catalogue unless told otherwise', () => {
    expect(eventfold('describe').stdout).toMatch(/^# Events\n/);
  });
});

describe('eventfold', () => {
  it('helps', () => {
    const { status, stdout } = eventfold('--help');
    expect(status).toBe(0);
    for (const word of ['contract', 'describe', 'eventfold.config.js', 'Exit codes: 0']) expect(stdout).toContain(word);
    expect(eventfold('contract', '--help').stdout).toContain('--accept-breaking');
  });

  it('tells its release', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(eventfold('--version')).toStrictEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('refuses to accept what is not written', () => {
    write('eventfold.config.cjs', commonJs);
    const { status, stderr } = eventfold('contract', '--accept-breaking');
    expect(status).toBe(2);
    expect(stderr).toContain('--accept-breaking goes with --write');
  });

  it.each([[[]], [['contrat']], [['contract', '--nope']], [['describe', '--format', 'xml']], [['contract', '--classes']]])(
    'ends with 2 when it is called as %j, and says how',
    (args) => {
      const { status, stdout, stderr } = eventfold(...args);
      expect({ status, stdout }).toStrictEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/--help|Usage/);
    },
  );

  it.each([
    ['ends the process', 'process.exit(0);'],
    ['never comes to its end', 'await new Promise(() => {});'],
    ['fails behind its back', "setImmediate(() => { throw new Error('late'); }); await new Promise(() => {});"],
  ])('ends with 2 where a module %s', (_, text) => {
    write('eventfold.config.mjs', `${text}\nexport const classes = [];\n`);
    const { status, stdout, stderr } = eventfold('contract', '--write');
    expect({ status, stdout }).toStrictEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('was ended before the command was done');
  });

  it('does not wait for what the modules of the application hold open, and paints nothing into a pipe', () => {
    write('eventfold.config.cjs', `setInterval(() => {}, 1000);\n${commonJs}`);
    const { status, stdout } = eventfold('describe', '--format', 'mermaid');
    expect(status).toBe(0);
    expect(stdout).not.toContain('\u001b');
  });
});
