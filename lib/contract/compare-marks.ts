import type { ShapeMarks } from '../metadata/event-schema';
import type { JsonSchema } from '../metadata/json-schema';
import { additive, breaking, type SchemaChange } from './schema-change';
import { isSame } from './stable-json';

type MarkedSchema = JsonSchema & ShapeMarks;

/** Compares what is kept of a property of a class beside its schema. */
export function compareMarks(
  path: string,
  name: string,
  [before, after]: readonly [before: MarkedSchema, after: MarkedSchema],
): SchemaChange[] {
  const transformed = compareTransformed(path, name, [before, after]);
  if (transformed !== undefined) return [transformed];
  return [
    ...compareMembers(path, membersOf(before, name), membersOf(after, name)),
    ...compareDefaults(path, name, [before, after]),
  ];
}

/** That what had a value has to be there now is told as that. */
function compareDefaults(path: string, name: string, [before, after]: readonly [MarkedSchema, MarkedSchema]): SchemaChange[] {
  const [was, is] = [before, after].map(({ properties }) => properties?.[name]?.default);
  if (was === undefined || isSame(was, is) || after.required?.includes(name)) return [];
  const now =
    is === undefined ? 'is gone; events that lack it have none' : `is ${JSON.stringify(is)}; events that lack it get that`;
  return [additive('DEFAULT_CHANGED', path, `its value in the class was ${JSON.stringify(was)} and ${now}`)];
}

/** What was stored in one way is not read in another: what a `@Transform` does nobody can see. */
function compareTransformed(
  path: string,
  name: string,
  [before, after]: readonly [MarkedSchema, MarkedSchema],
): SchemaChange | undefined {
  const [wasTransformed, isTransformed] = [before, after].map(({ transformed = [] }) => transformed.includes(name));
  if (wasTransformed === isTransformed) return undefined;
  if (wasTransformed) {
    const problem = 'it was stored as its @Transform made it, which is gone';
    return breaking('TYPE_CHANGED', path, problem, 'Keep the @Transform');
  }
  const problem = 'it was stored as it is, and its @Transform, which is new, may not read that';
  // Where nothing was said of it, it may always have had one.
  if (isUnknown(before.properties?.[name])) return additive('TYPE_DECLARED', path, problem, 'Look whether it does');
  return breaking('TYPE_CHANGED', path, problem, 'Leave it without');
}

function isUnknown(schema: JsonSchema = {}): boolean {
  return Object.keys(schema).length === 0;
}

/** A number stands for another member once one has been put between the others. */
function compareMembers(path: string, before: readonly Member[], after: readonly Member[]): SchemaChange[] {
  return before.flatMap(([name, was]) => {
    const is = after.find(([other]) => other === name);
    const heir = after.find(([, value]) => value === was);
    if (is === undefined || heir === undefined || is[1] === was) return [];
    const problem = `${JSON.stringify(was)} was its member ${name}, and is ${heir[0]}; ${name} is ${JSON.stringify(is[1])}`;
    return [breaking('VALUE_CHANGED', path, problem, `Write ${name} = ${JSON.stringify(was)} in the enum`)];
  });
}

type Member = readonly [name: string, value: unknown];

function membersOf({ members = {} }: MarkedSchema, name: string): Member[] {
  return Object.hasOwn(members, name) ? Object.entries(members[name] ?? {}) : [];
}
