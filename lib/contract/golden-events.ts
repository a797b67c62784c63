import { join } from 'node:path';
import { EventSourcingError } from '../event-sourcing-error';
import { isClass, nameOf } from '../events/event-class';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { encodePayload } from '../events/payload-codec';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { Registry } from '../metadata/registry';
import { breakingChanges, type ContractOptions, checkContract } from './check-contract';
import { BrokenContractError } from './contract-errors';
import { exampleOf } from './example';
import { type GoldenEvent, goldenFiles, readGolden, writeGolden } from './golden-file';
import { handleEverywhere } from './golden-handlers';
import { lockFile } from './lock-file';
import { readEvents, registryOf } from './reading';

/** What examples are kept of, and given to. */
export interface GoldenOptions extends ContractOptions {
  /** Events to keep as examples of today's versions, made with `createEvent`. Others are made from the schemas. */
  readonly examples?: readonly object[];
}

/** An example that cannot be read, or that a handler fails at. */
export interface GoldenFailure {
  readonly file: string;
  /** Where: a handler such as `AccountBalance.deposited`, or `reading`. */
  readonly place: string;
  readonly problem: string;
  readonly cause?: unknown;
}

/** What was done with examples. */
export interface GoldenReport {
  /** Files that were written, as there were none. */
  readonly written: readonly string[];
  /** How many examples were read and handled. */
  readonly checked: number;
  readonly failures: readonly GoldenFailure[];
  /** Why no examples were kept: shapes that no contract holds, or that break it, are not what events were stored in. */
  readonly withheld?: 'no contract' | 'broken contract';
}

/** Stored events of the past cannot be read, or a handler fails at one. */
export class GoldenEventError extends EventSourcingError {
  override readonly code = 'GOLDEN_EVENT';

  constructor(readonly failures: readonly GoldenFailure[]) {
    super(goldenText(failures));
  }
}

/**
 * Keeps one example of each name and version that was ever written, and gives each to upcasters and every handler. An example
 * that is there is never changed, and none is kept before there is a contract, or while a change breaks it. For a test:
 * `await goldenEvents('golden', { classes })`.
 *
 * @param folder Where the examples lie, a file each; commit it.
 * @throws {@link GoldenEventError} that says which example fails where.
 * @throws {@link BrokenContractError} without a contract: there is nothing to keep examples of.
 */
export async function goldenEvents(folder: string, options: GoldenOptions): Promise<GoldenReport> {
  const report = await checkGoldenEvents(folder, options);
  if (report.failures.length > 0) throw new GoldenEventError(report.failures);
  if (report.withheld === 'no contract') {
    const file = options.file ?? lockFile;
    throw new BrokenContractError([], `There is no ${file} to keep examples of yet. Write it: npx eventfold contract --write`);
  }
  return report;
}

/** The same, as a report. */
export async function checkGoldenEvents(folder: string, options: GoldenOptions): Promise<GoldenReport> {
  const { examples = [], ...contractOptions } = options;
  const report = checkContract(contractOptions);
  const registry = registryOf(options);
  const made = Object.entries(report.contract.events).flatMap(([type, { shapes }]) =>
    Object.entries(shapes).map(([version, shape]) => ({ type, version: Number(version), data: exampleOf(shape) })),
  );
  // The first that is written stays: what the user gave goes before what was made.
  const all = [...examples.map((event) => givenExample(registry, event)), ...made];
  // An example stays for ever: none is made of a shape that no event was stored in.
  const withheld = report.isNew ? 'no contract' : breakingChanges(report).length > 0 ? 'broken contract' : undefined;
  const wanted = withheld === undefined ? all : [];
  const written = wanted.filter((golden) => writeGolden(folder, golden)).map(({ type, version }) => `${type} version ${version}`);
  const files = goldenFiles(folder);
  const failures: GoldenFailure[] = [];
  for (const name of files) failures.push(...(await checkFile(registry, folder, name)));
  return { written, checked: files.length, failures, ...(withheld && { withheld }) };
}

/** @returns what fails, for people. */
export function goldenText(failures: readonly GoldenFailure[]): string {
  const lines = failures.map(({ file, place, problem }) => `✗ ${file}, ${place}: ${problem}`);
  const count = failures.length === 1 ? 'One example fails' : `${failures.length} examples fail`;
  return [...lines, `${count}.`].join('\n');
}

function givenExample(registry: Registry, event: object): GoldenEvent {
  const target: unknown = typeof event === 'object' && event !== null ? event.constructor : undefined;
  if (!isClass(target))
    throw new InvalidArgumentError(`${nameOf(event)} is no example. Make one with createEvent(SomeEvent, {…}).`);
  const { type, schemaVersion: version } = registry.eventOf(target);
  return { type, version, data: JSON.parse(encodePayload(event, type)) as GoldenEvent['data'] };
}

async function checkFile(registry: Registry, folder: string, name: string): Promise<GoldenFailure[]> {
  const file = join(folder, name);
  const golden = readGolden(folder, name);
  if (typeof golden === 'string') return [{ file, place: 'reading', problem: golden }];
  let events: readonly RecordedEvent[];
  try {
    events = readEvents(registry, recorded(golden));
  } catch (error) {
    return [failure(file, 'reading', error)];
  }
  const failed = [];
  for (const event of events) failed.push(...(await handleEverywhere(registry, event)));
  return failed.map(({ place, error }) => failure(file, place, error));
}

function failure(file: string, place: string, cause: unknown): GoldenFailure {
  return { file, place, problem: cause instanceof Error ? `${cause.name}: ${cause.message}` : nameOf(cause), cause };
}

function recorded({ type, version, data }: GoldenEvent): RecordedEvent {
  return {
    id: `golden-${type}-${version}`,
    type,
    schemaVersion: version,
    stream: 'golden',
    version: 1,
    position: '1' as Position,
    metadata: {},
    time: '2001-02-03T04:05:06.000Z',
    tags: [],
    data,
  };
}
