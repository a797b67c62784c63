import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { nameOf } from '../events/event-class';
import type { Contract } from './contract';
import { UnreadableLockError } from './contract-errors';
import { isSchema } from './is-schema';
import { isSame, stableJson } from './stable-json';

/** The name of the file that holds the contract, unless another is given. */
export const lockFile = 'eventfold.lock.json';

/** @returns the text of a contract: the same for the same classes, each property on a line of its own. */
export function lockText(contract: Contract): string {
  return stableJson(contract);
}

/**
 * Writes a contract, unless the file holds just that, in whatever form a formatter gave it.
 *
 * @returns whether it was written.
 * @throws {@link UnreadableLockError} when the file cannot be written.
 */
export function writeLock(file: string, contract: Contract): boolean {
  const text = lockText(contract);
  if (isHeld(file, contract)) return false;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (error) {
    throw new UnreadableLockError(file, `cannot be written: ${(error as Error).message}`, { cause: error });
  }
  return true;
}

/**
 * @returns the contract that a file holds; undefined where there is no file.
 * @throws {@link UnreadableLockError} when it holds anything else.
 */
export function readLock(file: string): Contract | undefined {
  const text = textOf(file);
  return text === undefined ? undefined : parseLock(text, file);
}

/** @throws {@link UnreadableLockError} when `text` is no contract. */
export function parseLock(text: string, file = lockFile): Contract {
  if (/^(<{7}|={7}|>{7})/m.test(text))
    throw new UnreadableLockError(file, 'holds a merge conflict; take either side and run eventfold contract --write');
  const content = parsed(text, file);
  if (!isObject(content)) throw new UnreadableLockError(file, `holds ${nameOf(content)}, no contract`);
  const { format } = content;
  if (format !== 1) {
    const isNewer = typeof format === 'number' && format > 1;
    const problem = isNewer
      ? `is of format ${format}, and this release of eventfold knows format 1; install the release that wrote it`
      : `is of format ${nameOf(format)}, and this release of eventfold knows format 1`;
    throw new UnreadableLockError(file, problem);
  }
  for (const part of ['events', 'aggregates', 'projections']) checkPart(content, part, file);
  return content as unknown as Contract;
}

function isHeld(file: string, contract: Contract): boolean {
  const text = textOf(file);
  return text !== undefined && isSame(parsed(text, file), contract);
}

function textOf(file: string): string | undefined {
  try {
    // Some editors put a byte order mark in front.
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UnreadableLockError(file, `cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const problem = `is no JSON: ${(error as Error).message}; restore it from version control`;
    throw new UnreadableLockError(file, problem, { cause: error });
  }
}

/** What a comparison relies on; everything else in the file is only read. */
const required: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  events: {
    class: (value) => typeof value === 'string',
    version: isVersion,
    shapes: (value) =>
      isObject(value) &&
      Object.entries(value).every(
        ([version, shape]) => isVersion(Number(version)) && `${Number(version)}` === version && isSchema(shape),
      ),
  },
  aggregates: { class: (value) => typeof value === 'string', ids: isNames, handles: isMaps },
  projections: { class: (value) => typeof value === 'string', ids: isNames, handles: isMaps, version: isVersion },
};

function checkPart(content: Record<string, unknown>, part: string, file: string): void {
  const entries = content[part];
  if (!isObject(entries)) throw new UnreadableLockError(file, `has ${nameOf(entries)} where its ${part} are to be`);
  for (const [name, entry] of Object.entries(entries)) {
    if (!isObject(entry)) throw new UnreadableLockError(file, `has ${nameOf(entry)} for ${part} "${name}"`);
    const wrong = Object.entries(required[part] ?? {}).find(([key, isFit]) => !isFit(entry[key]));
    if (wrong !== undefined)
      throw new UnreadableLockError(file, `has ${nameOf(entry[wrong[0]])} for "${wrong[0]}" of "${name}" in its ${part}`);
    // What is compared is the shapes: without that of the version which is written, all would pass.
    if (part === 'events' && !Object.hasOwn(entry['shapes'] as object, String(entry['version'])))
      throw new UnreadableLockError(file, `has no shape of version ${entry['version']} of "${name}", which it says is written`);
  }
}

function isVersion(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isMaps(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((maps) => Array.isArray(maps) && maps.every(isObject));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
