import type { InvalidStoredEvent, OnInvalid } from './checked-upcasting';
import type { Violation } from './event-errors';

/** Of so many rules people are told. */
const mostRules = 200;

/** @returns what tells of invalid stored events by process warnings: of each rule at its first event, its tenth, its hundredth … */
export function warningsOfInvalid(): OnInvalid {
  const counts = new Map<string, number>();
  return (invalid) => {
    for (const violation of invalid.violations) {
      const key = JSON.stringify([invalid.event.type, violation.property.replace(/\[\d+\]/g, '[]'), violation.rule]);
      const known = counts.get(key);
      if (known === undefined && counts.size === mostRules) continue;
      const count = (known ?? 0) + 1;
      counts.set(key, count);
      if (isPowerOfTen(count)) warn(invalid, violation, count);
      if (known === undefined && counts.size === mostRules)
        process.emitWarning(`Stored events break ${mostRules} rules; of others nobody is told.`, 'EventfoldWarning');
    }
  };
}

/** @returns `hear`, whose failure is nobody's but its own: a warning. */
export function guarded(hear: OnInvalid): OnInvalid {
  const failed = (error: unknown) => process.emitWarning(`validateStored failed: ${String(error)}`, 'EventfoldWarning');
  return (invalid) => {
    try {
      Promise.resolve(hear(invalid)).catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}

function warn({ event, class: className }: InvalidStoredEvent, { message, rule }: Violation, count: number): void {
  const often = count === 1 ? '' : ` ${count} such events were read.`;
  process.emitWarning(
    `Event ${event.id} at ${event.position} is no valid ${className} of "${event.type}": ${message} (${rule}). It is read all the same.${often}`,
    'EventfoldWarning',
  );
}

function isPowerOfTen(count: number): boolean {
  return /^10*$/.test(String(count));
}
