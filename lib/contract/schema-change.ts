import type { ContractChangeCode } from './contract-change';

/** One difference between two shapes of an event. */
export interface SchemaChange {
  readonly kind: 'breaking' | 'additive';
  readonly code: ContractChangeCode;
  readonly path: string;
  readonly problem: string;
  /** What would mend it without another version; empty where nothing would. */
  readonly remedy: string;
}

export function breaking(code: ContractChangeCode, path: string, problem: string, remedy = ''): SchemaChange {
  return { kind: 'breaking', code, path, problem, remedy };
}

export function additive(code: ContractChangeCode, path: string, problem: string, remedy = ''): SchemaChange {
  return { kind: 'additive', code, path, problem, remedy };
}
