import type { JsonSchema } from '../metadata/json-schema';
import { typesOf } from './alternatives';
import { additive, breaking, type SchemaChange } from './schema-change';
import { isSame } from './stable-json';

/** What bounds a value from one side: the rule, the same without the bound itself, and 1 for lower ones. */
const bounds: readonly (readonly [rule: string, exclusive: string | undefined, sign: 1 | -1])[] = [
  ['minimum', 'exclusiveMinimum', 1],
  ['maximum', 'exclusiveMaximum', -1],
  ...['minLength', 'minItems', 'minProperties'].map((rule) => [rule, undefined, 1] as const),
  ...['maxLength', 'maxItems', 'maxProperties'].map((rule) => [rule, undefined, -1] as const),
];
const exactRules = ['format', 'pattern', 'multipleOf', 'uniqueItems', 'not', 'anyOf'];

/** Compares what two schemas of the same types ask of a value. */
export function compareRules(path: string, before: JsonSchema, after: JsonSchema): SchemaChange[] {
  return [
    ...bounds.flatMap((side) => bound(path, strictest(before, side), strictest(after, side))),
    ...exactRules.flatMap((rule) => exact(path, rule, [before[rule], after[rule]])),
    ...values(path, valuesOf(before), valuesOf(after)),
  ];
}

interface Bound {
  readonly rule: string;
  readonly value: number;
  /** The greater, the stricter. */
  readonly strictness: number;
  readonly isExclusive: boolean;
}

/** @returns the stricter one of the two rules that bound a value from one side. */
function strictest(schema: JsonSchema, [rule, exclusive, sign]: (typeof bounds)[number]): Bound | undefined {
  // There is no whole number between a bound and the next.
  const isWhole = schema.type === 'integer';
  const found = [rule, ...(exclusive === undefined ? [] : [exclusive])].flatMap((name): Bound[] => {
    const value = schema[name];
    if (typeof value !== 'number') return [];
    const isBeyond = name === exclusive;
    return [{ rule: name, value, strictness: value * sign + (isBeyond && isWhole ? 1 : 0), isExclusive: isBeyond && !isWhole }];
  });
  return found.reduce<Bound | undefined>((one, other) => (one === undefined || isStricter(other, one) ? other : one), undefined);
}

function isStricter(one: Bound, than: Bound): boolean {
  return one.strictness > than.strictness || (one.strictness === than.strictness && one.isExclusive && !than.isExclusive);
}

function bound(path: string, before: Bound | undefined, after: Bound | undefined): SchemaChange[] {
  const isNarrower = after !== undefined && (before === undefined || isStricter(after, before));
  const isWider = before !== undefined && (after === undefined || isStricter(before, after));
  if (!isNarrower && !isWider) return [];
  const isOne = before === undefined || after === undefined || before.rule === after.rule;
  if (isOne)
    return [changed(path, `rule ${(after ?? before)?.rule}`, { before: before?.value, after: after?.value, isNarrower })];
  const text = ({ rule, value }: Bound) => ({ [rule]: value });
  return [changed(path, 'bound', { before: text(before), after: text(after), isNarrower })];
}

function exact(path: string, rule: string, [before, after]: readonly [unknown, unknown]): SchemaChange[] {
  if (isSame(before, after)) return [];
  const isMultiple = rule === 'multipleOf' && typeof before === 'number' && typeof after === 'number' && before % after === 0;
  return [changed(path, `rule ${rule}`, { before, after, isNarrower: after !== undefined && !isMultiple })];
}

function changed(
  path: string,
  what: string,
  { before, after, isNarrower }: { readonly before: unknown; readonly after: unknown; readonly isNarrower: boolean },
): SchemaChange {
  const [was, is] = [before, after].map((value) => (value === undefined ? 'nothing' : JSON.stringify(value)));
  const problem = `its ${what} was ${was} and is ${is}`;
  return isNarrower
    ? breaking('RULE_NARROWED', path, problem, 'Keep the rule as it was')
    : additive('RULE_WIDENED', path, problem);
}

/** One value is a list of one. */
export function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  return schema.const === undefined ? schema.enum : [schema.const];
}

function values(path: string, before: readonly unknown[] | undefined, after: readonly unknown[] | undefined): SchemaChange[] {
  if (before === undefined && after === undefined) return [];
  if (after === undefined) return [additive('RULE_WIDENED', path, 'it may be any value, and was one of a list')];
  const listed = (list: readonly unknown[]) => list.map((value) => JSON.stringify(value)).join(', ');
  if (before === undefined)
    return [breaking('RULE_NARROWED', path, `it is one of ${listed(after)}, and was any value`, 'Leave the values open')];
  const gone = before.filter((value) => !after.includes(value));
  const added = after.filter((value) => !before.includes(value));
  return [
    ...(gone.length > 0 ? [breaking('RULE_NARROWED', path, `${listed(gone)} is no value of it any more`, 'Keep the value')] : []),
    ...(added.length > 0 ? [additive('RULE_WIDENED', path, `${listed(added)} is a new value of it`)] : []),
  ];
}

/** Says whether a value fits the types and rules of a schema, as far as these can be asked here. */
export function isAllowed(value: unknown, schema: JsonSchema): boolean {
  const types = typesOf(schema);
  const isOfType = types === undefined || types.includes(typeof value) || (Number.isInteger(value) && types.includes('integer'));
  const size = typeof value === 'string' ? [...value].length : value;
  const isWithin = bounds.every((side) => {
    const limit = strictest(schema, side);
    if (limit === undefined || typeof size !== 'number') return true;
    const beyond = size * side[2] - limit.strictness;
    return limit.isExclusive ? beyond > 0 : beyond >= 0;
  });
  const isFit = typeof value === 'string' && typeof schema.pattern === 'string' ? new RegExp(schema.pattern).test(value) : true;
  return isOfType && isWithin && isFit && exactRules.every((rule) => rule === 'pattern' || schema[rule] === undefined);
}
