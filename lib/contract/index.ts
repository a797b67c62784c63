// What stored events depend on
export {
  assertContract,
  breakingChanges,
  type ContractOptions,
  type ContractReport,
  checkContract,
  writeContract,
} from './check-contract';
export {
  type AggregateContract,
  type Contract,
  contractOf,
  type EventContract,
  type IdentityContract,
  type IdSourceContract,
  type ProjectionContract,
} from './contract';
export type { ContractChange, ContractChangeCode } from './contract-change';
export { BrokenContractError, UnloadableClassesError, UnreadableLockError } from './contract-errors';
// Examples of what is stored
export {
  checkGoldenEvents,
  GoldenEventError,
  type GoldenFailure,
  type GoldenOptions,
  type GoldenReport,
  goldenEvents,
} from './golden-events';
export { lockText, parseLock } from './lock-file';
export type { ApplicationClasses, Reading, ReadsVersion } from './reading';
export { reportText } from './report-text';
