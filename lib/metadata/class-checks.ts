import type { Class } from '../events/event-class';
import { type ClassModel, type EventModel, eventModel, type HandlerModel } from './class-model';
import { classChain } from './metadata-slot';
import type { Mistake, MistakeCode } from './mistake';

/** Finds what is wrong with one annotated class by itself. */
export function classMistakes(model: ClassModel): Mistake[] {
  return [
    ...kindMistakes(model),
    ...model.undeclared.map(({ event, method }) =>
      mistake(model, 'NOT_AN_EVENT', method, `it handles ${event.name}, which is no event`, `Put @Event() on ${event.name}`),
    ),
    ...(model.aggregate?.ignores ?? []).flatMap((ignored) => {
      if (eventModel(ignored) !== undefined) return [];
      return mistake(
        model,
        'NOT_AN_EVENT',
        undefined,
        `it ignores ${ignored.name}, which is no event`,
        `Put @Event() on ${ignored.name}`,
      );
    }),
    ...model.handlers.flatMap((handler) => [...mapMistakes(model, handler), ...unresolvedIds(model, handler)]),
    ...duplicateHandlers(model),
    ...commandMistakes(model),
    ...stateMistakes(model),
  ];
}

function mistake(
  model: ClassModel,
  code: MistakeCode,
  member: string | symbol | undefined,
  problem: string,
  remedy: string,
): Mistake {
  return { code, class: model.class.name, ...(member === undefined ? {} : { member: String(member) }), problem, remedy };
}

function kindMistakes(model: ClassModel): Mistake[] {
  const found: Mistake[] = [];
  if (model.aggregate && model.projection) {
    const other = model.projection.reactor ? '@Reactor' : '@Projection';
    found.push(mistake(model, 'TWO_KINDS', undefined, `it is both @Aggregate and ${other}`, 'Make it two classes'));
  }
  if (model.handlers.length === 0 && model.undeclared.length === 0) {
    found.push(mistake(model, 'NO_HANDLERS', undefined, 'it handles no event', 'Put @Handles(SomeEvent) on a method'));
  }
  return found;
}

function mapMistakes(model: ClassModel, { event, map, method }: HandlerModel): Mistake[] {
  return Object.keys(map)
    .filter((id) => !model.ids.includes(id))
    .map((id) =>
      mistake(
        model,
        'UNKNOWN_ID',
        method,
        `its map for ${event.type} names "${id}", which is no id`,
        `Put @ProjectionId() on "${id}", or map one of: ${model.ids.join(', ') || 'none'}`,
      ),
    );
}

function unresolvedIds(model: ClassModel, { event, sources, method }: HandlerModel): Mistake[] {
  const known = declaredInstance(event);
  if (known === undefined) return [];
  return model.ids.flatMap((id, index) => {
    const source = sources[index];
    if (typeof source !== 'string' || source in known) return [];
    return mistake(
      model,
      'UNRESOLVED_ID',
      method,
      `${event.type} has no property "${source}" to take the id "${id}" from`,
      `Map it: @Handles(${event.class.name}, { ${id}: … })`,
    );
  });
}

/** An instance that shows all declared properties, or undefined where the compiler does not define them. */
function declaredInstance({ class: target }: EventModel): object | undefined {
  if (target.length > 0) return undefined;
  try {
    const instance = Reflect.construct(target as new () => object, []);
    return Object.values(instance).includes(undefined) ? instance : undefined;
  } catch {
    return undefined;
  }
}

function duplicateHandlers(model: ClassModel): Mistake[] {
  return model.handlers.flatMap((handler, index) => {
    const first = model.handlers.slice(0, index).find((other) => sameIds(other, handler));
    if (first === undefined) return [];
    const problem = `it handles ${handler.event.type} with the ids that ${String(first.method)} handles it with already`;
    return mistake(model, 'DUPLICATE_HANDLER', handler.method, problem, 'Remove one of the two, or give it another id map');
  });
}

function sameIds(one: HandlerModel, other: HandlerModel): boolean {
  return one.event.type === other.event.type && one.sources.every((source, index) => source === other.sources[index]);
}

function commandMistakes(model: ClassModel): Mistake[] {
  const found: Mistake[] = [];
  for (const [index, { name, method }] of model.commands.entries()) {
    if (model.commands.findIndex((other) => other.name === name) < index) {
      found.push(
        mistake(
          model,
          'DUPLICATE_COMMAND',
          method,
          `another method is the command "${name}" already`,
          'Give one of them another name: @Command({ name })',
        ),
      );
    }
    if (model.handlers.some((handler) => handler.method === method)) {
      found.push(
        mistake(
          model,
          'HANDLER_AND_COMMAND',
          method,
          'it is both a handler and a command',
          'Decide in a command, change state in a handler',
        ),
      );
    }
    if (model.aggregate === undefined) {
      found.push(
        mistake(model, 'MISPLACED_COMMAND', method, 'only an aggregate has commands', 'Move it to a class with @Aggregate()'),
      );
    }
  }
  return found;
}

function stateMistakes(model: ClassModel): Mistake[] {
  const found: Mistake[] = [];
  // Who opens it may say how a custom projection is made.
  if (takesArguments(model.class) && !model.projection?.isCustom) {
    found.push(
      mistake(
        model,
        'CONSTRUCTOR_ARGUMENTS',
        'constructor',
        'it takes arguments, and the framework has none to give',
        'Let a handler set the state',
      ),
    );
  }
  // A reactor is not kept, so there is nothing to restore or copy.
  if (model.projection?.reactor !== undefined) return found;
  for (const member of privateMembers(model)) {
    found.push(
      mistake(
        model,
        'PRIVATE_STATE',
        member,
        'a #private member can be neither restored nor copied',
        `Write "private ${member.slice(1)}"`,
      ),
    );
  }
  return found;
}

/** A class without a constructor of its own has its parent's, whatever its `length` says. */
export function takesArguments(target: Class): boolean {
  const declaring = classChain(target).findLast((link) => link.length > 0 || /\bconstructor\s*\(/.test(sourceOf(link)));
  return declaring !== undefined && declaring.length > 0;
}

/** How esbuild, swc and tsc initialise a #private field of a class for a target that has none. */
function loweredPrivateField(className: string): RegExp {
  const init = `__privateAdd\\(this, _(?!\\w*instances\\b)|_class_private_field_init\\(this, _|\\b_${className}_(?=\\w+\\.set\\(this, )`;
  return new RegExp(`(?:${init})(\\w+)`, 'g');
}

/** The #private fields of the class, and for a projection, whose instances are copied for readers, its #private methods. */
function privateMembers({ class: target, aggregate }: ClassModel): string[] {
  const members = new Set<string>();
  const declaration = aggregate ? /(?<=[;{}\s])#[\w$]+(?=\s*(?:=(?!=)|;))/g : /(?<=[;{}\s])#[\w$]+(?=\s*[=;(])/g;
  for (const link of classChain(target)) {
    const source = sourceOf(link);
    for (const [member] of source.matchAll(declaration)) members.add(member);
    for (const [, name] of source.matchAll(loweredPrivateField(link.name.replaceAll('$', '')))) members.add(`#${name}`);
  }
  return [...members];
}

/** The text of a class, without its comments and the texts in it. */
function sourceOf(target: Class): string {
  return Function.prototype.toString
    .call(target)
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g, '""');
}
