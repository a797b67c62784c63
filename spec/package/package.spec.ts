import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = dirname(require.resolve('eventfold/package.json'));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  dependencies: Record<string, string>;
};
const modules = join(root, 'node_modules');
const printed = ['bob got 30 in all', 'ann has only 70', 'ann got 130 in all', "Income { accountId: 'ann', total: 130 }", ''];

const kitUse = `
import { AggregateRoot } from 'eventfold';
import { fixedClock, scenario, sequentialIds } from 'eventfold/testing';
const kit: readonly unknown[] = [AggregateRoot, fixedClock, scenario, sequentialIds].map((word) => typeof word);
console.log(kit.join());
`;

const storeUse = `
import { DataSource } from 'typeorm';
import { type EventStore, OptimisticLockError } from 'eventfold';
import { eventStoreEntities, eventStoreMigrations, TypeOrmEventStore } from 'eventfold/typeorm';
import Database from 'libsql';

async function main(): Promise<void> {
  const type = 'better-sqlite3';
  const migrations = eventStoreMigrations(type);
  const options = { database: ':memory:', driver: Database, entities: eventStoreEntities(type), migrations, migrationsRun: true };
  const dataSource = await new DataSource({ type, ...options }).initialize();
  const store: EventStore = new TypeOrmEventStore(dataSource);
  const noted = { stream: 'a', events: [{ type: 'noted', data: { text: 'ça' } }], guard: { version: 'none' } } as const;
  await store.append([noted]);
  const refusal: unknown = await store.append([noted]).catch((error: unknown) => error);
  for await (const { position, data } of store.read({})) console.log(position, data, refusal instanceof OptimisticLockError);
  await store.close();
  await dataSource.destroy();
}
void main();
`;

interface Report {
  readonly analysis: { readonly entrypoints: object };
  readonly problems: Record<string, readonly { readonly resolutionKind?: string }[]>;
}

jest.setTimeout(180_000);

describe('the published package', () => {
  let folder = '';
  let tarball = '';

  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'eventfold-package-')));
    tarball = pack();
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds the compiled library and its documents, and nothing else', () => {
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    const odd = files.filter((file) => !/^package\/dist\/(index|(decorators|lib)\/.+)\.(js|d\.ts)$/.test(file));
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md'].filter((file) => existsSync(join(root, file)));
    expect(odd.sort()).toStrictEqual([...documents, 'package.json'].map((file) => `package/${file}`).sort());
    for (const file of ['dist/index.js', 'dist/index.d.ts', 'dist/lib/testing/index.js', 'dist/lib/testing/index.d.ts'])
      expect(files).toContain(`package/${file}`);
  });

  it('passes publint', () => {
    expect(run(modules, ['publint/src/cli.js', 'run', tarball, '--strict'])).toContain('All good!');
  });

  it('has types that agree with its code in every way to import it', () => {
    const report = run(modules, ['@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'node16', '--format', 'json']);
    const { analysis, problems } = JSON.parse(report) as Report;
    expect(Object.keys(analysis.entrypoints)).toStrictEqual([
      ...[
        '.',
        './contract',
        './express',
        './fastify',
        './http',
        './nestjs',
        './nestjs/cqrs',
        './nestjs/testing',
        './testing',
        './typeorm',
      ],
      './package.json',
    ]);
    // Subpaths are given by "exports" alone, which resolution from before Node.js 12 ("node10") cannot see.
    const modern = Object.values(problems).flat();
    expect(modern.filter(({ resolutionKind }) => resolutionKind !== 'node10')).toStrictEqual([]);
  });

  describe.each([
    { kind: 'commonjs', module: 'node16' },
    { kind: 'module', module: 'nodenext' },
  ])('installed into a project of type $kind', ({ kind, module }) => {
    let project = '';

    beforeAll(() => {
      project = join(folder, kind);
      createProject(project, kind, module);
    });

    it('type-checks the quick start and the testing kit, its own types included', () => {
      run(modules, ['typescript/bin/tsc', '-p', project]);
      expect(readdirSync(project)).toEqual(expect.arrayContaining(['quick-start.js', 'kit.js']));
    });

    it('runs the quick start', () => {
      expect(run(project, ['quick-start.js']).split('\n')).toStrictEqual(printed);
    });

    it('offers the testing kit', () => {
      expect(run(project, ['kit.js'])).toBe('function,function,function,function\n');
    });

    it.each(['typeorm', 'typeorm-03'])('offers stores to who has TypeORM: %s', (release) => {
      const linked = { typeorm: release, libsql: 'libsql', '@libsql': '@libsql' };
      for (const [name, target] of Object.entries(linked)) {
        rmSync(join(project, 'node_modules', name), { force: true });
        symlinkSync(join(modules, target), join(project, 'node_modules', name));
      }
      writeFileSync(join(project, 'store.ts'), storeUse);
      writeJson(join(project, 'tsconfig.store.json'), { extends: './tsconfig.json', files: ['store.ts'] });
      run(modules, ['typescript/bin/tsc', '-p', join(project, 'tsconfig.store.json')]);
      expect(run(project, ['store.js'])).toBe("1 { text: 'ça' } true\n");
    });

    it('loads no database, no adapter and no tool by itself', () => {
      const print = 'console.log(Object.keys(require.cache).join("\\n"));';
      const load = kind === 'module' ? 'import("eventfold")' : 'Promise.resolve(require("eventfold"))';
      const script = `${load}.then(() => { ${print} });`;
      const loaded = run(project, ['--input-type=commonjs', '--eval', script]).trim().split('\n');
      const names = loaded.map((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]);
      const own = [
        'eventfold',
        'class-transformer',
        'class-validator',
        'libphonenumber-js',
        'reflect-metadata',
        'rxjs',
        'tslib',
        'validator',
      ];
      expect([...new Set(names)].filter((name) => !own.includes(name as string))).toStrictEqual([]);
      expect(loaded.filter((file) => /eventfold\/dist\/lib\/(adapters|testing|contract|cli|studio)\//.test(file))).toStrictEqual(
        [],
      );
      expect(loaded.length).toBeGreaterThan(50);
    });

    it('has a command', () => {
      writeFileSync(join(project, 'eventfold.config.cjs'), 'exports.classes = [];\n');
      expect(run(project, ['node_modules/.bin/eventfold', 'describe', '--format', 'mermaid'])).toContain('flowchart LR\n');
    });

    it('runs from plain JavaScript', () => {
      const load = kind === 'module' ? "import { Registry } from 'eventfold';" : "const { Registry } = require('eventfold');";
      const extension = kind === 'module' ? 'mjs' : 'cjs';
      writeFileSync(join(project, `plain.${extension}`), `${load}\nconsole.log(Registry.of([]).events().length);\n`);
      expect(run(project, [`plain.${extension}`])).toBe('0\n');
    });
  });

  describe('installed beside NestJS 12, which is ESM only', () => {
    let project = '';

    beforeAll(() => {
      project = join(folder, 'nest-12');
      mkdirSync(project);
      writeJson(join(project, 'package.json'), { name: 'project', private: true, type: 'module' });
      const nest = ['common', 'core', 'cqrs', 'typeorm'].map((name) => `@nestjs/${name}@12`);
      const needed = ['reflect-metadata', 'rxjs', 'class-validator', 'class-transformer'];
      const dependencies = needed.map((name) => `${name}@${manifest.dependencies[name]}`);
      npm(project, [
        'install',
        '--prefer-offline',
        '--no-audit',
        '--no-fund',
        '--legacy-peer-deps',
        tarball,
        ...nest,
        ...dependencies,
      ]);
      for (const name of ['typeorm', 'libsql', '@libsql']) symlinkSync(join(modules, name), join(project, 'node_modules', name));
    });

    it('opens in a DataSource of @nestjs/typeorm and in memory, with types that agree', () => {
      cpSync(join(root, 'spec/package/fixtures/nest-12.ts'), join(project, 'app.ts'));
      writeJson(join(project, 'tsconfig.json'), { compilerOptions: compilerOptions('nodenext'), files: ['app.ts'] });
      run(modules, ['typescript/bin/tsc', '-p', project]);
      const [onDatabase, inMemory, mistake] = run(project, ['app.js']).split('\n');
      expect({ onDatabase, inMemory }).toStrictEqual({ onDatabase: '1 2 2 a', inMemory: '0 2 2 a' });
      expect(mistake).toMatch(/^ModuleStartError: EventSourcingModule cannot start\. .* knows no option "stores"/);
    });
  });

  /** Packs a copy, for packing builds anew. */
  function pack(): string {
    const copy = join(folder, 'eventfold');
    const sources = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'index.ts', 'decorators', 'lib', 'spec', 'samples'];
    mkdirSync(copy);
    for (const source of [...sources, 'README.md', 'CHANGELOG.md', 'LICENSE'])
      if (existsSync(join(root, source))) cpSync(join(root, source), join(copy, source), { recursive: true });
    symlinkSync(modules, join(copy, 'node_modules'));
    npm(copy, ['pack', '--pack-destination', folder]);
    return join(folder, `eventfold-${manifest.version}.tgz`);
  }

  function createProject(project: string, kind: string, module: string): void {
    mkdirSync(project);
    writeJson(join(project, 'package.json'), { name: 'project', private: true, type: kind });
    writeJson(join(project, 'tsconfig.json'), {
      compilerOptions: compilerOptions(module),
      files: ['quick-start.ts', 'kit.ts'],
    });
    cpSync(join(root, 'samples/quick-start/quick-start.ts'), join(project, 'quick-start.ts'));
    writeFileSync(join(project, 'kit.ts'), kitUse);
    const validator = `class-validator@${manifest.dependencies['class-validator']}`;
    npm(project, ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball, validator]);
  }
});

function compilerOptions(module: string): object {
  return {
    module,
    moduleResolution: module,
    target: 'ES2022',
    strict: true,
    skipLibCheck: false,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    esModuleInterop: true,
    types: ['node'],
    typeRoots: [join(modules, '@types')],
  };
}

function writeJson(file: string, content: object): void {
  writeFileSync(file, JSON.stringify(content, undefined, 2));
}

function npm(cwd: string, args: readonly string[]): void {
  execute('npm', args, cwd);
}

/** Runs a script of Node.js. @returns what it printed. */
function run(cwd: string, args: readonly string[]): string {
  return execute(process.execPath, args, cwd);
}

function execute(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, [...args], { cwd, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
