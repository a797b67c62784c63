import { statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UnloadableClassesError } from '../contract/contract-errors';

/**
 * Loads a module of either kind; its ending may be left out.
 *
 * @returns all that it exports, its default export's properties included.
 * @throws {@link UnloadableClassesError} when there is none, or it throws.
 */
export async function loadModule(named: string): Promise<Record<string, unknown>> {
  const file = [named, ...endings.map((ending) => named + ending), join(named, 'index.js')].find(isFile);
  if (file === undefined) throw new UnloadableClassesError(named, 'does not exist');
  if (/^\.[cm]?tsx?$/.test(extname(file)))
    throw new UnloadableClassesError(file, 'is TypeScript; compile it, and name what the compiler wrote');
  try {
    return exportsOf((await import(pathToFileURL(file).href)) as Record<string, unknown>);
  } catch (error) {
    throw new UnloadableClassesError(file, `cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
}

const endings = ['.js', '.mjs', '.cjs'];

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** A CommonJS module is the default export of itself, and TypeScript puts its own default into that. */
function exportsOf(module: Record<string, unknown>): Record<string, unknown> {
  let all: Record<string, unknown> = {};
  let part: unknown = module;
  for (let depth = 0; depth < 3 && typeof part === 'object' && part !== null && !Array.isArray(part); depth += 1) {
    all = { ...part, ...all };
    part = (part as Record<string, unknown>).default;
  }
  return Array.isArray(part) ? { classes: part, ...all } : all;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).replace(/\.$/, '');
}
