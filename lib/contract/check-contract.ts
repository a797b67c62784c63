import { InvalidArgumentError } from '../events/invalid-argument-error';
import { type Mistake, StartUpError } from '../metadata/mistake';
import { compareEvents } from './compare-events';
import { compareIdentities } from './compare-identities';
import { type Contract, contractOf } from './contract';
import type { ContractChange } from './contract-change';
import { BrokenContractError } from './contract-errors';
import { lockFile, readLock, writeLock } from './lock-file';
import { mergedContract } from './merge-contract';
import { type ApplicationClasses, comparedRegistry, type ReadsVersion, readingOf } from './reading';
import { reportText } from './report-text';
import { isSame } from './stable-json';
import { upcasterChanges } from './upcaster-changes';

/** What a contract is held against. */
export interface ContractOptions extends ApplicationClasses {
  /** The file that holds the contract. `eventfold.lock.json` in the current folder unless given. */
  readonly file?: string;
  /** Tells how stored names and versions are read. By classes, aliases and upcasters unless given. */
  readonly reads?: ReadsVersion;
}

/** What has changed since the contract was written. */
export interface ContractReport {
  readonly file: string;
  /** Says whether there is no contract yet. */
  readonly isNew: boolean;
  /** Says whether the file would be written otherwise now. */
  readonly isOutdated: boolean;
  readonly changes: readonly ContractChange[];
  /** What the file is to hold. */
  readonly contract: Contract;
  /** How the upcasters do not fit together. Each is a change as well; no contract is written before they are mended. */
  readonly mistakes: readonly Mistake[];
}

/**
 * Compares classes with the contract that was written of them. Nothing is written.
 *
 * @throws {@link StartUpError} when the classes do not fit together. That upcasters do not is a change of the report.
 * @throws {@link UnreadableLockError} when the file holds no contract.
 */
export function checkContract(options: ContractOptions): ContractReport {
  checkOptions(options);
  const { file = lockFile } = options;
  const { registry, mistakes } = comparedRegistry(options);
  const current = contractOf(registry);
  const locked = readLock(file);
  const unfit = upcasterChanges(mistakes);
  if (locked === undefined) return { file, isNew: true, isOutdated: true, changes: unfit, contract: current, mistakes };
  const compared = { current, registry, reads: options.reads ?? readingOf(registry) };
  const told = new Set(unfit.map(placeOf));
  const events = compareEvents(locked, compared).filter((change) => !told.has(placeOf(change)));
  const changes = [...unfit, ...events, ...compareIdentities(locked, current, (type) => registry.upcasting.namesOf(type))];
  const contract = mergedContract(locked, compared);
  return { file, isNew: false, isOutdated: !isSame(locked, contract), changes, contract, mistakes };
}

function placeOf({ code, name, version, path }: ContractChange): string {
  return JSON.stringify([code, name, version, path]);
}

/**
 * The same for a test: passes when nothing breaks stored events.
 *
 * @throws {@link BrokenContractError} that says which change breaks what, and what to write; also without a contract.
 */
export function assertContract(options: ContractOptions): ContractReport {
  const report = checkContract(options);
  const broken = breakingChanges(report);
  if (broken.length > 0 || report.isNew) throw new BrokenContractError(broken, reportText(report));
  return report;
}

/**
 * Writes the contract of classes, with all that is known of earlier versions.
 *
 * @param options.accept `'breaking'` takes changes that break stored events into the contract as well.
 * @throws {@link BrokenContractError} when changes break stored events; nothing is written.
 * @throws {@link StartUpError} when such changes are accepted, and the upcasters do not fit together: nothing would start.
 */
export function writeContract({ accept, ...options }: ContractOptions & { readonly accept?: 'breaking' }): ContractReport {
  const report = checkContract(options);
  const broken = breakingChanges(report);
  if (broken.length > 0 && accept !== 'breaking') throw new BrokenContractError(broken, reportText(report));
  if (report.mistakes.length > 0) throw new StartUpError(report.mistakes);
  writeLock(report.file, report.contract);
  return report;
}

/** @returns the changes that break stored events or kept state. */
export function breakingChanges({ changes }: Pick<ContractReport, 'changes'>): ContractChange[] {
  return changes.filter(({ kind }) => kind === 'breaking');
}

function checkOptions(options: ContractOptions): void {
  const known = ['classes', 'upcasters', 'passOver', 'file', 'reads'];
  for (const key of Object.keys(options ?? {}))
    if (!known.includes(key)) throw new InvalidArgumentError(`A contract knows no option "${key}". Known: ${known.join(', ')}.`);
  if (!Array.isArray(options?.classes)) throw new InvalidArgumentError('A contract is of classes: give { classes: […] }.');
}
