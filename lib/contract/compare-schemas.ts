import { nearestName } from '../events/nearest-name';
import type { JsonSchema } from '../metadata/json-schema';
import { alternativesOf, type RootedSchema, resolved } from './alternatives';
import { compareMarks } from './compare-marks';
import { compareRules } from './compare-rules';
import { compareBare, compareOpened, compareTypes, isPairOfMap, isTuple, lookBack, referenceOf } from './compare-types';
import { isSchema } from './is-schema';
import { additive, breaking, type SchemaChange } from './schema-change';
import { isSame } from './stable-json';

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
    const declared = was.flatMap((part) => this.nearest(path, part, is).filter(({ code }) => code === 'TYPE_DECLARED'));
    return [...declared, ...(isNew ? [additive('TYPE_WIDENED', path, 'it may have another form')] : [])];
  }

  /** @returns how a form differs from the one that it is most likely to have become. */
  private nearest(path: string, before: RootedSchema, is: readonly RootedSchema[]): SchemaChange[] {
    const all = is.map((after) => this.one(path, before, after)).filter((each) => each.every(({ kind }) => kind === 'additive'));
    return all.sort((one, other) => one.length - other.length)[0] ?? [];
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
    const [was, is] = [before, after].map(({ schema }) => schema['additionalProperties']);
    if (isSchema(was) && is === false)
      return [breaking('RULE_NARROWED', path, 'it may hold nothing under names that are not declared', 'Leave the names open')];
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
    if (isTuple(was)) return this.tuple(path, [before, was], [after, is]);
    if (isTuple(is))
      return [breaking('TYPE_CHANGED', path, 'a list became one with a place for each item, or the other way round')];
    return this.of(`${path}[]`, { schema: was ?? {}, root: before.root }, { schema: is ?? {}, root: after.root });
  }

  /** How many there are is a rule of its own. */
  private tuple(
    path: string,
    [before, was]: readonly [RootedSchema, readonly JsonSchema[]],
    [after, is]: readonly [RootedSchema, JsonSchema['items']],
  ): SchemaChange[] {
    const placed = isTuple(is) ? is : [];
    const [wasRest, isRest] = [before.schema['additionalItems'], isTuple(is) ? after.schema['additionalItems'] : is];
    const rest = isSchema(isRest) ? isRest : undefined;
    const compared = (at: string, one: JsonSchema, other: JsonSchema) =>
      this.of(`${path}[${at}]`, { schema: one, root: before.root }, { schema: other, root: after.root });
    return [
      ...was.flatMap((schema, index) => {
        const now = placed[index] ?? rest;
        return now === undefined ? [] : compared(String(index), schema, now);
      }),
      ...(isSchema(wasRest) && rest !== undefined ? compared('', wasRest, rest) : []),
    ];
  }
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

function at(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
