import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

const root = dirname(require.resolve('eventfold/package.json'));

const core = ['events', 'metadata', 'store', 'tags', 'snapshots', 'aggregates', 'projections', 'sagas', 'delivery'];
const places = [
  ...core.map((folder) => `lib/${folder}`),
  'lib/front-door',
  'lib/testing',
  'lib/adapters/typeorm',
  'lib/adapters/nestjs',
  'lib/adapters/nestjs/testing',
  'lib/adapters/web',
  'lib/contract',
  'lib/http',
  'lib/cli',
  'decorators',
];
const packages = ['rxjs', 'class-validator', 'class-transformer', 'reflect-metadata', 'node:crypto'];
const foreign = [
  '@standard-schema/spec',
  'typeorm',
  '@nestjs/common',
  'express',
  'pg',
  'commander',
  'class-validator-jsonschema',
  'eventfold',
  'eventfold/testing',
];
const base = 'lib/event-sourcing-error';
const front = 'lib/event-sourcing';

/** What the module for NestJS may import: of the TypeORM adapter only what is published. */
const nest = [
  ...[base, front, 'rxjs', 'reflect-metadata', 'node:crypto', 'typeorm', '@nestjs/common'],
  ...['events', 'metadata', 'store', 'snapshots', 'aggregates', 'projections', 'delivery', 'http'].map(
    (folder) => `lib/${folder}`,
  ),
];

/** For each place in the project: all that it may import. */
const allowed: Record<string, readonly string[]> = {
  [base]: [],
  'lib/events': [base, ...packages, '@standard-schema/spec'],
  'lib/metadata': [base, ...packages, 'class-validator-jsonschema', 'lib/events'],
  'lib/store': [base, ...packages, 'lib/events'],
  'lib/tags': [base, ...packages, 'lib/events', 'lib/metadata', 'lib/store'],
  'lib/snapshots': [base, ...packages, 'lib/events', 'lib/metadata', 'lib/store'],
  'lib/aggregates': [base, ...packages, 'lib/events', 'lib/metadata', 'lib/store', 'lib/snapshots'],
  'lib/projections': [base, ...packages, 'lib/events', 'lib/metadata', 'lib/store', 'lib/snapshots'],
  'lib/projections/running': [base, ...packages, 'lib/events', 'lib/metadata', 'lib/store', 'lib/snapshots', 'lib/projections'],
  'lib/sagas': [
    base,
    ...packages,
    'lib/events',
    'lib/metadata',
    'lib/store',
    'lib/snapshots',
    'lib/aggregates',
    'lib/projections',
  ],
  'lib/delivery': [base, ...packages, 'lib/events', 'lib/store'],
  [front]: [base, ...packages, ...core.map((folder) => `lib/${folder}`), 'lib/front-door'],
  'lib/front-door': [base, ...packages, ...core.map((folder) => `lib/${folder}`)],
  'lib/testing': [base, front, ...packages, ...core.map((folder) => `lib/${folder}`), 'lib/contract'],
  'lib/contract': [
    base,
    front,
    ...packages,
    'lib/events',
    'lib/metadata',
    'lib/store',
    'lib/snapshots',
    'lib/aggregates',
    'lib/projections',
  ],
  'lib/http': [base, front, 'rxjs', 'node:crypto', 'lib/events', 'lib/store', 'lib/aggregates', 'lib/projections'],
  'lib/cli': [base, 'reflect-metadata', 'rxjs', 'node:crypto', 'commander', 'lib/events', 'lib/metadata', 'lib/contract'],
  'lib/adapters/typeorm': [base, ...packages, 'typeorm', 'lib/events', 'lib/store'],
  'lib/adapters/nestjs': nest,
  'lib/adapters/nestjs/testing': [...nest, 'lib/adapters/nestjs', 'lib/testing'],
  'lib/adapters/web': [
    base,
    front,
    ...packages,
    ...core.map((folder) => `lib/${folder}`),
    'lib/http',
    ...foreign.filter((name) => !name.startsWith('eventfold')),
  ],
  decorators: ['lib/events', 'lib/metadata', 'reflect-metadata', 'node:crypto'],
  'samples/story': [...packages, ...foreign],
  benchmarks: [...packages, ...foreign, 'samples/other'],
};

/** Everything that could be imported, beside what lies in the same place. */
const targets = [...places, base, front, 'index', 'samples/other', ...packages, ...foreign];

describe('the linter', () => {
  let folder = '';

  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'eventfold-arrows-')));
    cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    cpSync(join(root, '.gitignore'), join(folder, '.gitignore'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it.each(['import { thing }', 'import type { thing }', 'export { thing }'])(
    'fails on each wrong arrow, and on no other: %s',
    (words) => {
      const wrong = Object.keys(allowed).flatMap((place) => wrongArrows(place).map((target) => `${place} → ${target}`));
      for (const place of Object.keys(allowed))
        write(
          fileIn(place),
          targetsOf(place).map((target) => `${words} from '${specifier(place, target)}';`),
        );
      expect(found('style/noRestrictedImports').sort()).toStrictEqual(wrong.sort());
    },
  );

  it('fails on an import cycle', () => {
    write('lib/events/one.ts', ["import { two } from './two';", 'export const one = (): unknown => two;']);
    write('lib/events/two.ts', ["import { three } from './three';", 'export const two = (): unknown => three;']);
    write('lib/events/three.ts', ["import { one } from './one';", 'export const three = (): unknown => one;']);
    const files = lint('suspicious/noImportCycles').map(({ file }) => file);
    expect(files.sort()).toStrictEqual(['lib/events/one.ts', 'lib/events/three.ts', 'lib/events/two.ts']);
  });

  function write(file: string, lines: readonly string[]): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `${lines.join('\n')}\n`);
  }

  /** The arrows that the linter reports. */
  function found(rule: string): string[] {
    return lint(rule).map(({ file, line }) => {
      const place = Object.keys(allowed).find((candidate) => fileIn(candidate) === file) as string;
      return `${place} → ${targetsOf(place)[line - 1]}`;
    });
  }

  function lint(rule: string): { file: string; line: number }[] {
    const { stdout } = biome(folder, ['lint', `--only=${rule}`, '--reporter=github', '--max-diagnostics=none', '.']);
    const errors = stdout.matchAll(/^::error title=lint\/(\S+?),file=(.+?),line=(\d+),/gm);
    return [...errors].map(([, title, file, line]) => {
      expect(title).toBe(rule);
      return { file: relative(folder, file as string), line: Number(line) };
    });
  }
});

function biome(cwd: string, args: readonly string[]) {
  return spawnSync(process.execPath, [require.resolve('@biomejs/biome/bin/biome'), ...args], { cwd, encoding: 'utf8' });
}

function isFile(place: string): boolean {
  return place === base || place === front || place === 'index';
}

function fileIn(place: string): string {
  return isFile(place) ? `${place}.ts` : `${place}/importer.ts`;
}

function targetsOf(place: string): string[] {
  return targets.filter((target) => target !== place);
}

function wrongArrows(place: string): string[] {
  return targetsOf(place).filter((target) => !allowed[place]?.includes(target));
}

/** How a file in `place` names `target`. */
function specifier(place: string, target: string): string {
  if (packages.includes(target) || foreign.includes(target)) return target;
  const path = relative(dirname(fileIn(place)), isFile(target) ? target : `${target}/thing`);
  return path.startsWith('.') ? path : `./${path}`;
}
