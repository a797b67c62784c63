import type { ComparedWith } from './compare-events';
import type { Contract, EventContract } from './contract';
import { eventNamed } from './reading';

/**
 * @returns the contract of today, with every version and name that was written before and can still be read. What can no longer
 * be read is left out: who writes it has been told.
 */
export function mergedContract(locked: Contract, { current, registry, reads }: ComparedWith): Contract {
  const earlier = Object.entries(locked.events).flatMap(([name, event]): [string, EventContract][] => {
    const now = Object.hasOwn(current.events, name) ? current.events[name] : undefined;
    const alias = now === undefined ? eventNamed(registry, name) : undefined;
    const written = Object.entries(event.shapes).filter(([version]) => {
      const reading = reads(name, Number(version));
      return reading === 'upcast' || reading === 'passed over' || (reading === 'current' && alias !== undefined);
    });
    const shapes = { ...Object.fromEntries(written), ...now?.shapes };
    if (now !== undefined) return [[name, { ...now, shapes }]];
    const versions = Object.keys(shapes).map(Number);
    if (versions.length === 0) return [];
    const { class: className } = event;
    const retired = alias === undefined && { isRetired: true as const };
    return [[name, { class: className, version: Math.max(...versions), ...retired, shapes }]];
  });
  return { ...current, events: { ...current.events, ...Object.fromEntries(earlier) } };
}
