import { asyncRules } from '../events/validate-event';
import type { ClassModel } from '../metadata/class-model';
import type { Mistake } from '../metadata/mistake';
import { AggregateRoot } from './aggregate-root';

const reserved = ['emit', 'constructor'];

/** Finds what is wrong with an aggregate class that only this layer can see. */
export function aggregateMistakes(model: ClassModel): Mistake[] {
  if (model.aggregate === undefined) return [];
  const at = { class: model.class.name };
  const found: Mistake[] = [];
  if (!(model.class.prototype instanceof AggregateRoot)) {
    found.push({
      ...at,
      code: 'NO_AGGREGATE_ROOT',
      problem: 'it is an aggregate without the base class',
      remedy: 'Write "extends AggregateRoot"',
    });
  }
  for (const name of reserved) {
    const own = name !== 'constructor' && Object.hasOwn(model.class.prototype as object, name);
    if (!own && !model.ids.includes(name)) continue;
    found.push({
      ...at,
      member: name,
      code: 'RESERVED_NAME',
      problem: `"${name}" is the framework's`,
      remedy: 'Give the member another name',
    });
  }
  for (const event of new Set(model.handlers.map((handler) => handler.event.class))) {
    for (const property of asyncRules(event)) {
      const problem = `${event.name}.${property} has a validation rule that is a promise, which emit cannot wait for`;
      found.push({
        ...at,
        member: property,
        code: 'ASYNC_VALIDATOR',
        problem,
        remedy: 'Make the rule synchronous, or check in the command',
      });
    }
  }
  return found;
}
