import type { Mistake } from '../metadata/mistake';
import type { ContractChange } from './contract-change';

/** @returns what upcasters that do not fit together break. */
export function upcasterChanges(mistakes: readonly Mistake[]): ContractChange[] {
  return mistakes.map(({ class: className, member, event, problem, remedy }) => {
    const kind = 'breaking' as const;
    if (event === undefined) {
      const name = member === undefined ? className : `${className}.${member}`;
      return { kind, code: 'UPCASTER_UNFIT' as const, name, problem, remedy };
    }
    const { type: name, version } = event;
    const gap = `no upcaster leads on from version ${version}`;
    return { kind, code: 'UPCASTER_MISSING' as const, name, version, problem: gap, remedy: `${remedy} and list it in upcasters` };
  });
}
