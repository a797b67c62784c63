import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from '../events/invalid-argument-error';

/** An example of what is stored: an event of one name and version. */
export interface GoldenEvent {
  readonly type: string;
  readonly version: number;
  /** The plain form, as it is stored. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Writes an example, unless there is one. @returns whether it was written. */
export function writeGolden(folder: string, golden: GoldenEvent): boolean {
  const name = freeName(goldenFiles(folder), folder, golden);
  if (name === undefined) return false;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), `${JSON.stringify(golden, undefined, 2)}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    const { type, version } = golden;
    const place = `The example of ${JSON.stringify(type)} version ${version} cannot be kept in ${folder}`;
    throw new InvalidArgumentError(`${place}: ${(error as Error).message}.`, { cause: error });
  }
}

/** @returns the name of the file for an example; undefined where there is one already. */
function freeName(files: readonly string[], folder: string, golden: GoldenEvent): string | undefined {
  const { type, version } = golden;
  const [plain, hashed] = goldenNames(golden);
  if (files.includes(hashed) || (plain !== undefined && files.includes(plain))) return undefined;
  if (plain === undefined) return hashed;
  // Not every file system tells upper case from lower.
  const alike = files.find((file) => file.toLowerCase() === plain.toLowerCase());
  if (alike === undefined) return plain;
  const held = readGolden(folder, alike);
  return typeof held === 'object' && held.type === type && held.version === version ? undefined : hashed;
}

/** What most file systems allow, in bytes. */
const longestFile = 255;

/** @returns the names of files for an example: one that reads as the event's, where a file can have it, and one with a hash. */
function goldenNames({ type, version }: Pick<GoldenEvent, 'type' | 'version'>): [plain: string | undefined, hashed: string] {
  const wellFormed = type.replace(/\p{Surrogate}/gu, '\ufffd');
  // Windows allows neither a "*" nor a name that is a device's up to its first dot.
  const encoded = encodeURIComponent(wellFormed)
    .replaceAll('*', '%2A')
    .replace(/^(?=(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))./i, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  const ending = `.v${version}.json`;
  const hash = createHash('sha256').update(type, 'utf16le').digest('hex').slice(0, 12);
  const beginning = encoded.slice(0, 100).replace(/%.?$/, '');
  const isPlain = type === wellFormed && encoded.length + ending.length <= longestFile;
  return [isPlain ? `${encoded}${ending}` : undefined, `${beginning}~${hash}${ending}`];
}

/** @returns the names of the files of examples, in order; none where there is no folder. */
export function goldenFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.v\d+\.json$/.test(name))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new InvalidArgumentError(`Examples cannot be read from ${folder}: ${(error as Error).message}.`, { cause: error });
  }
}

/** @returns the example that a file holds; text that says what is wrong where it holds none. */
export function readGolden(folder: string, name: string): GoldenEvent | string {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  } catch (error) {
    return `is no JSON: ${(error as Error).message}`;
  }
  const { type, version, data } = (content ?? {}) as Partial<GoldenEvent>;
  const isData = typeof data === 'object' && data !== null && !Array.isArray(data);
  if (typeof type !== 'string' || !Number.isSafeInteger(version) || !isData) return 'holds no { type, version, data }';
  return { type, version: version as number, data };
}
