import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as eventfold from 'eventfold';
import { EventSourcingError, EventValidationError, type MistakeCode, OptimisticLockError } from 'eventfold';

const root = join(__dirname, '../../..');
const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');
const families = ['A mistake in the program', 'A refusal of the input', 'An outcome of running'] as const;

/** @returns the cells of each row of the table in a section of the page. */
function rows(title: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const withoutTicks = (cell = '') => cell.replace(/^`|`$/g, '');

const documented = families
  .flatMap(rows)
  .map(([code, name]) => `${withoutTicks(name)} ${withoutTicks(code)}`)
  .sort();

/** A class's own text has the initial value of its `code`, whatever its constructor would ask for. */
function codeOf(target: object): string | undefined {
  return /^\s*code = ['"](\w+)['"];$/m.exec(Function.prototype.toString.call(target))?.[1];
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
const subpaths = Object.keys(manifest.exports).filter((path) => path !== './package.json');

/** What every subpath of the package exports; some of it twice. */
const everything = new Set(
  subpaths.flatMap((path) => Object.values(require(`eventfold${path.slice(1)}`) as object) as unknown[]),
);

const exported = [...everything].filter(
  (value): value is typeof EventSourcingError => typeof value === 'function' && value.prototype instanceof EventSourcingError,
);

/** A list that the compiler holds against the type: each code, and no other. */
const mistakeCodes: Record<MistakeCode, true> = {
  NOT_A_CLASS: true,
  UNDECORATED_CLASS: true,
  TWO_KINDS: true,
  LISTED_TWICE: true,
  DUPLICATE_NAME: true,
  DUPLICATE_EVENT_NAME: true,
  NOT_AN_EVENT: true,
  NO_HANDLERS: true,
  DUPLICATE_HANDLER: true,
  UNKNOWN_ID: true,
  UNRESOLVED_ID: true,
  DUPLICATE_COMMAND: true,
  HANDLER_AND_COMMAND: true,
  MISPLACED_COMMAND: true,
  NO_AGGREGATE_ROOT: true,
  CONSTRUCTOR_ARGUMENTS: true,
  PRIVATE_STATE: true,
  RESERVED_NAME: true,
  UNFIT_STATE: true,
  ASYNC_VALIDATOR: true,
  NO_UPCASTERS: true,
  UPCASTER_OF_NO_EVENT: true,
  TWO_UPCASTERS: true,
  UPCASTER_GAP: true,
  UPCASTER_CYCLE: true,
  UPCASTER_AHEAD: true,
  PASSED_OVER_EVENT: true,
};

// The page shows this function.
function statusOf(error: unknown): number {
  if (error instanceof EventValidationError) return 422; // error.violations says why
  if (error instanceof EventSourcingError && error.code === 'OPTIMISTIC_LOCK') return 409;
  throw error;
}

describe('docs/errors.md', () => {
  it('shows code that runs', () => {
    const source = readFileSync(join(root, 'spec/docs/errors.spec.ts'), 'utf8');
    const [, example = 'none'] = /^```ts\n(.*?)^```$/ms.exec(page) ?? [];
    expect(source).toContain(example);
    expect(statusOf(new EventValidationError('Deposited', []))).toBe(422);
    expect(statusOf(new OptimisticLockError('account', 1, 2))).toBe(409);
    expect(() => statusOf(new RangeError('mine'))).toThrow(RangeError);
  });

  it('lists each exported error once, with its code, and no other', () => {
    expect(subpaths).toContain('./typeorm');
    expect(exported.length).toBeGreaterThan(20);
    expect(documented).toStrictEqual(exported.map((target) => `${target.name} ${codeOf(target)}`).sort());
  });

  it('has a code for each error, and no two errors have one code', () => {
    const codes = exported.map(codeOf);
    expect(codes).not.toContain(undefined);
    expect(new Set(codes).size).toBe(codes.length);
    const example = new eventfold.StoreClosedError();
    expect(codeOf(eventfold.StoreClosedError)).toBe(example.code);
  });

  it('knows of every error in the source', () => {
    const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const declared = files.flatMap((file) =>
      [...readFileSync(join(root, 'lib', file), 'utf8').matchAll(/class (\w+) extends \w*Error\b/g)].map(([, name]) => name),
    );
    const known = new Set(exported.map(({ name }) => name));
    expect(declared.filter((name) => name !== 'EventSourcingError' && !known.has(name as string))).toStrictEqual([]);
  });

  it('lists each code of a start-up mistake once, and no other', () => {
    const listed = rows('Start-up mistakes').map(([code]) => withoutTicks(code));
    expect(listed.sort()).toStrictEqual(Object.keys(mistakeCodes).sort());
  });

  it.each([...families, 'Start-up mistakes'])('says of each in "%s" what it means and what to do', (title) => {
    for (const cells of rows(title)) {
      expect(cells).toHaveLength(title === 'Start-up mistakes' ? 3 : 4);
      for (const text of cells.slice(-2)) expect(text).toMatch(/^.{6,}\.$/);
    }
  });
});
