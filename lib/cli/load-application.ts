import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UnloadableClassesError } from '../contract/contract-errors';
import { lockFile } from '../contract/lock-file';
import { nameOf } from '../events/event-class';
import { loadModule } from './load-module';

/** What the commands know of an application. */
export interface Application {
  readonly classes: readonly unknown[];
  readonly upcasters: readonly unknown[];
  readonly passOver: readonly string[];
  /** The file of the contract. */
  readonly lock: string;
}

const configFiles = ['eventfold.config.js', 'eventfold.config.mjs', 'eventfold.config.cjs'];
const known = ['classes', 'upcasters', 'passOver', 'lock'];

/**
 * Finds an application's classes: in the module that is named, else by a config file, else by the key "eventfold" of package.json.
 *
 * @throws {@link UnloadableClassesError} that says what was looked for, and where.
 */
export async function loadApplication(cwd: string, options: { classes?: string; lock?: string }): Promise<Application> {
  const config =
    options.classes === undefined ? await configOf(cwd) : { place: '--classes', settings: { classes: options.classes } };
  const { place, settings } = config;
  const named = settings.classes;
  const loaded = typeof named === 'string' ? await loadModule(resolve(cwd, named)) : {};
  const file = typeof named === 'string' ? resolve(cwd, named) : place;
  const { classes, upcasters = [], passOver = [] } = { ...settings, ...loaded } as Record<string, unknown>;
  if (classes === undefined) throw new UnloadableClassesError(file, 'exports no "classes": write export const classes = […]');
  const lists = { classes, upcasters, passOver };
  for (const [name, list] of Object.entries(lists))
    if (!Array.isArray(list)) throw new UnloadableClassesError(file, `has ${nameOf(list)} for "${name}", not an array`);
  const lock = options.lock ?? settings.lock ?? lockFile;
  if (typeof lock !== 'string') throw new UnloadableClassesError(place, `has ${nameOf(lock)} for "lock", not the path of a file`);
  return { ...(lists as { classes: unknown[]; upcasters: unknown[]; passOver: string[] }), lock: resolve(cwd, lock) };
}

interface Config {
  readonly place: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

async function configOf(cwd: string): Promise<Config> {
  const [file] = configFiles.map((name) => join(cwd, name)).filter((path) => existsSync(path));
  if (file !== undefined) return { place: file, settings: await loadModule(file) };
  const manifest = join(cwd, 'package.json');
  const settings = existsSync(manifest) ? (parsed(manifest) as { eventfold?: unknown } | null)?.eventfold : undefined;
  if (settings === undefined) {
    const ways = 'Give --classes ./dist/classes.js, a file that exports "classes"; or name it in eventfold.config.js';
    throw new UnloadableClassesError(cwd, `has no eventfold.config.js, and no "eventfold" in its package.json. ${ways}`);
  }
  if (typeof settings !== 'object' || settings === null)
    throw new UnloadableClassesError(manifest, `has ${nameOf(settings)} for "eventfold", not { "classes": "./dist/classes.js" }`);
  for (const key of Object.keys(settings))
    if (!known.includes(key))
      throw new UnloadableClassesError(manifest, `has an unknown "${key}" in "eventfold"; known are ${known.join(', ')}`);
  return { place: manifest, settings: settings as Record<string, unknown> };
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UnloadableClassesError(file, `is no JSON: ${(error as Error).message}`, { cause: error });
  }
}
