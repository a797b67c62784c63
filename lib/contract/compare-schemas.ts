import { nearestName } from '../events/nearest-name';
import type { JsonSchema } from '../metadata/json-schema';
import { bigint } from '../metadata/property-schema';
import { alternativesOf, type RootedSchema, resolved, typesOf } from './alternatives';
import { compareMarks } from './compare-marks';
import { compareRules, isAllowed, valuesOf } from './compare-rules';
import { isSchema } from './is-schema';
import { additive, breaking, type SchemaChange } from './schema-change';
import { isSame } from './stable-json';

const lookBack = 'Look whether stored events have always held that';

/** @returns how data that fits `before` differs from data that fits `after`. */
export function compareSchemas(before: JsonSchema, after: JsonSchema): SchemaChange[] {
  return new Comparison().of('', { schema: before, root: before }, { schema: after, root: after });
}

class Comparison {
  /** @param met Pairs of references that are being compared: classes may hold themselves. */
  constructor(private readonly met: ReadonlySet<string> = new Set()) {}

  of(path: string, before: RootedSchema, after: RootedSchema): SchemaChange[] {
    const was = alternativesOf(before);
    const is = alternativesOf(after);
    const lost = was.isNullable && !is.isNullable && !isAny(is.others);
    return [
      ...(lost ? [breaking('TYPE_NARROWED', path, 'it may not be null any more', 'Keep @IsOptional() on it')] : []),
      ...this.others(path, was.others, is.others),
      ...(is.isNullable && !was.isNullable && !isAny(was.others) ? [additive('TYPE_WIDENED', path, 'it may be null')] : []),
    ];
  }

  private others(path: string, was: readonly RootedSchema[], is: readonly RootedSchema[]): SchemaChange[] {
    const [one] = was;
    const [other] = is;
    if (one && other && was.length === 1 && is.length === 1) return this.one(path, one, other);
    if (is.length > 1 && isAny(was))
      return [additive('TYPE_DECLARED', path, 'it has one of several forms, and nothing was said of it before', lookBack)];
    const homeless = was.filter((part) => !is.some((candidate) => this.fits(path, part, candidate)));
    const isNew = is.some((part) => !was.some((candidate) => this.fits(path, candidate, part)));
    if (homeless.length > 0 && was.length === is.length)
      return was.flatMap((part, index) => this.one(path, part, is[index] as RootedSchema));
    if (homeless.length > 0) {
      const code = homeless.length === was.length ? 'TYPE_CHANGED' : 'TYPE_NARROWED';
      const gone =
        homeless.length === 1
          ? 'one of the forms that it could have is'
          : `${homeless.length} of the forms that it could have are`;
      return [breaking(code, path, `${gone} gone`, 'Keep every form')];
    }
    return isNew ? [additive('TYPE_WIDENED', path, 'it may have another form')] : [];
  }

  private fits(path: string, before: RootedSchema, after: RootedSchema): boolean {
    return this.one(path, before, after).every(({ kind }) => kind === 'additive');
  }

  private one(path: string, before: RootedSchema, after: RootedSchema): SchemaChange[] {
    const references = [referenceOf(before.schema), referenceOf(after.schema)];
    const pair = references.join(' ');
    const isReference = !references.includes(undefined);
    if (isReference && this.met.has(pair)) return [];
    const deeper = isReference ? new Comparison(new Set([...this.met, pair])) : this;
    // A class is referred to; what is described in its place is of a schema, which tells all that is required.
    const isExact = path !== '' && before.schema.$ref === undefined && before.schema.allOf === undefined;
    const schema = resolved(before);
    const was = { schema: isExact ? { ...schema, optional: Object.keys(schema.properties ?? {}) } : schema, root: before.root };
    const is = { schema: resolved(after), root: after.root };
    const bare = compareBare(path, before.schema, after.schema);
    if (bare !== undefined) return [bare];
    const opened = compareOpened(path, was.schema, is.schema);
    if (opened !== undefined) return [opened];
    const types = compareTypes(path, was.schema, is.schema);
    if (types.isSettled) return types.changes;
    return [
      ...types.changes,
      ...compareRules(path, was.schema, is.schema),
      ...deeper.properties(path, was, is),
      ...deeper.entries(path, was, is),
      ...deeper.items(path, was, is),
    ];
  }

  private properties(path: string, before: RootedSchema, after: RootedSchema): SchemaChange[] {
    const was = before.schema.properties ?? {};
    const is = after.schema.properties ?? {};
    const gone = Object.keys(was).filter((name) => !Object.hasOwn(is, name));
    const added = Object.keys(is).filter((name) => !Object.hasOwn(was, name));
    const renamed = renamings({ was, is, gone, added });
    const found = new Set(renamed.values());
    const isRequired = (name: string) => after.schema.required?.includes(name) ?? false;
    return [
      ...gone.map((name) => {
        const heir = renamed.get(name);
        if (heir === undefined) return breaking('PROPERTY_REMOVED', at(path, name), 'it is gone', 'Keep the property');
        const problem = `it is gone, and "${heir}", which is new, looks like it`;
        return breaking('PROPERTY_RENAMED', at(path, name), problem, `Keep the name, or put @Expose({ name: '${name}' }) on it`);
      }),
      ...added.filter((name) => !found.has(name)).map((name) => newProperty(at(path, name), isRequired(name))),
      ...Object.keys(was)
        .filter((name) => Object.hasOwn(is, name))
        .flatMap((name) => this.property(at(path, name), [before, after], name)),
    ];
  }

  private property(path: string, [before, after]: readonly [RootedSchema, RootedSchema], name: string): SchemaChange[] {
    const was = { schema: before.schema.properties?.[name] ?? {}, root: before.root };
    const is = { schema: after.schema.properties?.[name] ?? {}, root: after.root };
    const marked = compareMarks(path, name, [before.schema, after.schema]);
    const changes = [...marked, ...(marked.some(({ code }) => code === 'TYPE_CHANGED') ? [] : this.of(path, was, is))];
    const [wasRequired, isRequired] = [before, after].map(({ schema }) => schema.required?.includes(name) ?? false);
    if (wasRequired && !isRequired) return [additive('PROPERTY_OPTIONAL', path, 'it may be missing'), ...changes];
    if (wasRequired || !isRequired || !(couldBeMissing(was) || isOptional(before.schema, name))) return changes;
    // That it may not be null any more says the same.
    const others = changes.filter(({ problem, path: place }) => place !== path || !problem.includes('null'));
    const remedy = 'Keep @IsOptional() on it, or give it a value in the class';
    return [breaking('PROPERTY_REQUIRED', path, 'it is required, and could be missing before', remedy), ...others];
  }

  /** What an object holds under names that are not declared, as a record does. */
  private entries(path: string, before: RootedSchema, after: RootedSchema): SchemaChange[] {
    const compared = (place: string, keyword: string, otherwise: JsonSchema) => {
      if (![before, after].some(({ schema }) => isSchema(schema[keyword]))) return [];
      const [was, is] = [before, after].map(({ schema, root }) => {
        const part = schema[keyword];
        return { schema: isSchema(part) ? part : otherwise, root };
      }) as [RootedSchema, RootedSchema];
      return this.of(place, was, is);
    };
    return [
      ...compared(`${path}<key>`, 'propertyNames', { type: 'string' }),
      ...compared(`${path}{}`, 'additionalProperties', {}),
    ];
  }

  private items(path: string, before: RootedSchema, after: RootedSchema): SchemaChange[] {
    const was = before.schema.items;
    const is = after.schema.items;
    if (was === undefined && is === undefined) return [];
    if (was === undefined && !isTuple(is) && isPairOfMap(is?.items))
      return [breaking('TYPE_CHANGED', path, 'it is a Map, and was a list or a Set', 'Keep the type')];
    if (isPairOfMap(was) && isPairOfMap(is)) {
      const value = (items: readonly JsonSchema[], { root }: RootedSchema) => ({ schema: items[1] ?? {}, root });
      return this.of(`${path.replace(/\[\]$/, '')}{}`, value(was, before), value(is, after));
    }
    if (isTuple(was) && isTuple(is)) return this.tuple(path, [was, before.root], [is, after.root]);
    if (isTuple(was) || isTuple(is))
      return [breaking('TYPE_CHANGED', path, 'a list became one with a place for each item, or the other way round')];
    return this.of(`${path}[]`, { schema: was ?? {}, root: before.root }, { schema: is ?? {}, root: after.root });
  }

  /** How many there are is a rule of its own. */
  private tuple(
    path: string,
    [was, wasRoot]: readonly [readonly JsonSchema[], JsonSchema],
    [is, isRoot]: readonly [readonly JsonSchema[], JsonSchema],
  ): SchemaChange[] {
    return was.flatMap((schema, index) => {
      const now = is[index];
      return now === undefined ? [] : this.of(`${path}[${index}]`, { schema, root: wasRoot }, { schema: now, root: isRoot });
    });
  }
}

/** What is stored otherwise than as it is comes to handlers as it is stored, once nothing says what it was made of. */
function compareBare(path: string, before: JsonSchema, after: JsonSchema): SchemaChange | undefined {
  const form = Object.keys(after).length > 0 ? undefined : readForm(before);
  if (form === undefined) return undefined;
  const problem = `it was ${form}, and nothing says so any more: handlers get it as it is stored`;
  return breaking('TYPE_CHANGED', path, problem, 'Keep the decorator');
}

/** @returns what a value is read as, where that is not what is stored. A `Set` cannot be told from an array. */
function readForm(schema: JsonSchema): string | undefined {
  const { type, format, pattern, items } = schema;
  if (referenceOf(schema) !== undefined) return 'of a class';
  if (type === 'string' && format === 'date-time') return 'a Date';
  if (type === 'string' && pattern === bigint.pattern) return 'a bigint';
  if (items === undefined || isTuple(items)) return undefined;
  if (isPairOfMap(items.items)) return 'a Map';
  const form = readForm(items);
  return form && `a list with items that are ${form}`;
}

/** @returns that a list of values is none any more, where each of them may stay. */
function compareOpened(path: string, before: JsonSchema, after: JsonSchema): SchemaChange | undefined {
  const values = valuesOf(before);
  if (values === undefined || valuesOf(after) !== undefined || typesOf(after) === undefined) return undefined;
  if (!values.every((value) => isAllowed(value, after))) return undefined;
  return additive('RULE_WIDENED', path, 'it was one of a list of values, and may have others');
}

/** Types that a list of values is of need not be given. */
function typesIn(schema: JsonSchema): readonly string[] | undefined {
  const values =
    schema.type === undefined ? (schema.enum ?? (schema.const === undefined ? undefined : [schema.const])) : undefined;
  return values === undefined ? typesOf(schema) : [...new Set(values.map((value) => (value === null ? 'null' : typeof value)))];
}

function compareTypes(path: string, before: JsonSchema, after: JsonSchema): { changes: SchemaChange[]; isSettled: boolean } {
  const was = typesIn(before);
  const is = typesIn(after);
  const settled = (change: SchemaChange) => ({ changes: [change], isSettled: true });
  if (was === undefined && is === undefined) return { changes: [], isSettled: false };
  if (is === undefined) return settled(additive('TYPE_WIDENED', path, `it may be anything, and was ${was?.join(' or ')}`));
  if (was === undefined) {
    const problem = `it is ${is.join(' or ')}, and nothing was said of it before`;
    return settled(additive('TYPE_DECLARED', path, problem, lookBack));
  }
  const accepts = (type: string) => is.includes(type) || (type === 'integer' && is.includes('number'));
  const isEvery = was.every(accepts);
  const problem = `it was ${was.join(' or ')} and is ${is.join(' or ')}`;
  if (!isEvery) {
    const isPart = was.some((type) => accepts(type) || (type === 'number' && is.includes('integer')));
    return settled(breaking(isPart ? 'TYPE_NARROWED' : 'TYPE_CHANGED', path, problem, 'Keep the type'));
  }
  const isWider = is.some((type) => !was.includes(type));
  return { changes: isWider ? [additive('TYPE_WIDENED', path, problem)] : [], isSettled: false };
}

function newProperty(path: string, isRequired: boolean): SchemaChange {
  if (!isRequired)
    return additive('PROPERTY_ADDED', path, 'it is new; events stored before have none', 'Let handlers do without it');
  const remedy = 'Put @IsOptional() on it, or give it a value in the class';
  return breaking('PROPERTY_REQUIRED', path, 'it is new and required; events stored before have none', remedy);
}

/** Where nothing was said of a property, it was not optional either: the compiler may have required it. */
function couldBeMissing(before: RootedSchema): boolean {
  return alternativesOf(before).isNullable || before.schema.default !== undefined;
}

function isOptional({ optional }: JsonSchema, name: string): boolean {
  return Array.isArray(optional) && optional.includes(name);
}

/** @returns by old name, the new name of what is most likely the same property. */
function renamings({
  was,
  is,
  gone,
  added,
}: {
  readonly was: Readonly<Record<string, JsonSchema>>;
  readonly is: Readonly<Record<string, JsonSchema>>;
  readonly gone: readonly string[];
  readonly added: readonly string[];
}): Map<string, string> {
  const found = new Map<string, string>();
  for (const from of gone) {
    const alike = added.filter((to) => isSame(was[from], is[to]));
    const isOnly = alike.length === 1 && gone.filter((other) => isSame(was[other], was[from])).length === 1;
    const to = isOnly ? alike[0] : nearestName(from, alike);
    if (to !== undefined && ![...found.values()].includes(to)) found.set(from, to);
  }
  return found;
}

function isAny(schemas: readonly RootedSchema[]): boolean {
  return schemas.some((rooted) => Object.keys(rooted.schema).length === 0);
}

/** A library may wrap a reference, so that it can say more of it. */
function referenceOf({ $ref, allOf }: JsonSchema): string | undefined {
  if ($ref !== undefined || !Array.isArray(allOf)) return $ref;
  const parts = (allOf as readonly JsonSchema[]).map(referenceOf);
  return parts.length === 1 ? parts[0] : undefined;
}

/** A `Map` has a key of any scalar type, and so differs from a list of two that a schema describes. */
function isPairOfMap(items: JsonSchema['items']): items is readonly JsonSchema[] {
  return isTuple(items) && items.length === 2 && typesOf(items[0] ?? {})?.length === 4;
}

function isTuple(items: JsonSchema['items']): items is readonly JsonSchema[] {
  return Array.isArray(items);
}

function at(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
