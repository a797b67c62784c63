import { nameOf } from '../../events/event-class';
import { checkOptions, InvalidArgumentError } from '../../events/invalid-argument-error';

const call = 'new TypeOrmEventStore';
const texts = ['schema', 'tablePrefix'];
const functions = ['clock', 'ids'];
const flags = ['gather', 'preparedStatements'];

/** The names of a prefix's tables and indexes have to fit in the 63 characters that PostgreSQL keeps. */
const longestPrefix = 30;

/** @throws {@link InvalidArgumentError} for an option that is unknown, or is not what it must be. */
export function checkStoreOptions(options: object): void {
  checkOptions(call, options, [...texts, ...functions, ...flags, 'polling', 'ambient']);
  const given = options as Readonly<Record<string, unknown>>;
  for (const key of texts) check(given, key, isName, `text without quotes (a prefix of ${longestPrefix} characters at most)`);
  for (const key of functions) check(given, key, isFunction, 'a function');
  for (const key of flags) check(given, key, (value) => typeof value === 'boolean', 'true or false');
  check(given, 'polling', (value) => typeof value === 'object' && value !== null, '{ minMs, maxMs }');
  check(given, 'ambient', (value) => value === false || isFunction(value), 'a function that finds the manager, or false');
}

function check(
  options: Readonly<Record<string, unknown>>,
  key: string,
  isRight: (value: unknown, key: string) => boolean,
  wanted: string,
): void {
  const value = options[key];
  if (value !== undefined && !isRight(value, key))
    throw new InvalidArgumentError(`${call} takes as ${key} ${wanted}, not ${nameOf(value)}.`);
}

function isName(value: unknown, key: string): boolean {
  return typeof value === 'string' && !/["'`\\\0]/.test(value) && (key === 'schema' || value.length <= longestPrefix);
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
