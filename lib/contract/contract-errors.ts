import { EventSourcingError } from '../event-sourcing-error';
import type { ContractChange } from './contract-change';

/** The file that holds the contract cannot be read, or written. */
export class UnreadableLockError extends EventSourcingError {
  override readonly code = 'UNREADABLE_LOCK';

  constructor(
    readonly file: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${file} ${problem}.`, options);
  }
}

/** The classes break what stored events depend on. */
export class BrokenContractError extends EventSourcingError {
  override readonly code = 'BROKEN_CONTRACT';

  constructor(
    readonly changes: readonly ContractChange[],
    report: string,
  ) {
    super(report);
  }
}

/** The classes of an application could not be loaded from the files that were named. */
export class UnloadableClassesError extends EventSourcingError {
  override readonly code = 'UNLOADABLE_CLASSES';

  constructor(
    readonly file: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${file} ${problem}.`, options);
  }
}
