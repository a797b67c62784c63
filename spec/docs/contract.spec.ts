import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Registry } from 'eventfold';
import { assertContract, type ContractChangeCode, goldenEvents, writeContract } from 'eventfold/contract';
import { classes } from './contract/classes';

const root = dirname(require.resolve('eventfold/package.json'));
const page = readFileSync(join(root, 'docs/contract.md'), 'utf8');
const [file, folder] = ['eventfold.lock.json', 'golden'];

/** A list that the compiler holds against the type: each code, and no other. */
const codes: Record<ContractChangeCode, true> = {
  EVENT_ADDED: true,
  EVENT_REMOVED: true,
  EVENT_RENAMED: true,
  EVENT_RETIRED: true,
  VERSION_RAISED: true,
  VERSION_LOWERED: true,
  UPCASTER_MISSING: true,
  UPCASTER_UNFIT: true,
  PROPERTY_ADDED: true,
  PROPERTY_REMOVED: true,
  PROPERTY_RENAMED: true,
  PROPERTY_REQUIRED: true,
  PROPERTY_OPTIONAL: true,
  TYPE_CHANGED: true,
  TYPE_NARROWED: true,
  TYPE_WIDENED: true,
  TYPE_DECLARED: true,
  RULE_NARROWED: true,
  RULE_WIDENED: true,
  VALUE_CHANGED: true,
  DEFAULT_CHANGED: true,
  AGGREGATE_ADDED: true,
  AGGREGATE_REMOVED: true,
  AGGREGATE_RENAMED: true,
  EVENT_MOVED: true,
  IDS_CHANGED: true,
  ID_MAP_CHANGED: true,
  GUARD_CHANGED: true,
  PROJECTION_ADDED: true,
  PROJECTION_REMOVED: true,
  PROJECTION_CHANGED: true,
  PROJECTION_VERSION_LOWERED: true,
};

/** What the page says that a command prints. */
function shown(command: string): string {
  const [, text = 'none'] = new RegExp(`^\`\`\`text\\n\\$ ${command}\\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
  return text;
}

describe('docs/contract.md', () => {
  const before = process.cwd();
  let place = '';

  beforeEach(() => {
    place = realpathSync(mkdtempSync(join(tmpdir(), 'eventfold-docs-')));
    process.chdir(place);
  });

  afterEach(() => {
    process.chdir(before);
    rmSync(place, { recursive: true });
  });

  function eventfold(module: string, ...args: readonly string[]): string {
    const main = join(root, 'dist/lib/cli/main.js');
    const given = ['--classes', join(root, `dist/spec/docs/contract/${module}.js`), ...args];
    return spawnSync(process.execPath, [main, 'contract', ...given], { cwd: place, encoding: 'utf8' }).stdout;
  }

  it('shows what the commands print', () => {
    expect(eventfold('classes', '--write')).toBe(shown('npx eventfold contract --write'));
    expect(eventfold('changed')).toBe(shown('npx eventfold contract'));
    expect(eventfold('classes', '--golden', 'golden')).toContain(shown('npx eventfold contract --golden golden'));
    expect(readdirSync(join(place, 'golden'))).toStrictEqual(['order.placed.v1.json']);
  });

  it('shows an example as it is kept', async () => {
    writeContract({ classes, file });
    await goldenEvents(folder, { classes, file });
    expect(page).toContain(`\`\`\`json\n${readFileSync('golden/order.placed.v1.json', 'utf8')}\`\`\``);
  });

  it('shows tests that pass', async () => {
    writeContract({ classes, file });
    assertContract({ classes, file });
    await goldenEvents('golden', { classes });
  });

  it('shows calls that describe', () => {
    const registry = Registry.of(classes);
    registry.toMarkdown('Orders'); // a page in Markdown
    registry.toAsyncApi({ title: 'Orders', version: '1.0.0' }); // an object: a document of AsyncAPI 3
    registry.toJsonSchema(); // by stored name: JSON Schema, draft 7
    registry.toMermaid(); // a flow chart
    expect(registry.events()).toHaveLength(1);
  });

  it('lists each kind of change once, and no other', () => {
    const listed = [...page.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, code]) => code);
    expect(listed.sort()).toStrictEqual(Object.keys(codes).sort());
  });
});
