import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform, Type } from 'class-transformer';
import {
  Allow,
  IsArray,
  IsBoolean,
  IsDate,
  IsDefined,
  IsDivisibleBy,
  IsEnum,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsPositive,
  IsString,
  IsUUID,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Event,
  Handles,
  InvalidArgumentError,
  Projection,
  ProjectionId,
  Reactor,
  type StandardSchema,
  StartUpError,
  upcasts,
} from 'eventfold';
import {
  assertContract,
  BrokenContractError,
  type ContractOptions,
  checkContract,
  lockText,
  type Reading,
  UnreadableLockError,
  writeContract,
} from 'eventfold/contract';
import { z } from 'zod';
import { type MadeEvent, madeEvent, typed } from '../controls/made-events';

type Class = abstract new (...args: never[]) => object;
type Properties = Readonly<Record<string, readonly PropertyDecorator[]>>;

let folder = '';
let file = '';

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'eventfold-contract-')));
  file = join(folder, 'eventfold.lock.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What is found when these classes come after those, in short. */
function found(before: readonly Class[], after: readonly Class[], options: Partial<ContractOptions> = {}): string[] {
  writeContract({ classes: before, file });
  const { changes } = checkContract({ classes: after, file, ...options });
  return changes.map(({ kind, code, path = '' }) => [kind, code, path].join(' ').trimEnd());
}

const nested = (properties: Properties) => Type(() => madeEvent(properties, { class: 'Line' }) as never);
const each = { each: true };
const transformed = [
  Transform(({ value }) => Number(value), { toClassOnly: true }),
  Transform(({ value }) => String(value), { toPlainOnly: true }),
];

/** What the compiler makes of an enum of numbers. */
function enumOf(...names: readonly string[]): object {
  return Object.fromEntries(names.flatMap((name, index) => [[name, index] as const, [index, name] as const]));
}

function described(a: z.ZodType): Class {
  const schema: StandardSchema = z.object({ a });
  @Event('described', { schema })
  class Described {}
  return Described;
}

function recursive(value: z.ZodType): z.ZodType {
  const node: z.ZodType = z.object({
    value,
    get part() {
      return node.optional();
    },
  });
  return node;
}

describe('checkContract', () => {
  it.each<[string, Properties, Properties, string[]]>([
    ['nothing changed', { sum: [IsInt()] }, { sum: [IsInt()] }, []],
    ['the order of properties', { a: [IsInt()], b: [IsInt()] }, { b: [IsInt()], a: [IsInt()] }, []],
    ['a property removed', { a: [IsInt()], b: [IsInt()] }, { a: [IsInt()] }, ['breaking PROPERTY_REMOVED b']],
    ['a property renamed', { a: [IsInt()] }, { b: [IsInt()] }, ['breaking PROPERTY_RENAMED a']],
    [
      'several properties renamed, and one added',
      { a: [IsInt()], customer: [IsUUID()], seller: [IsUUID()] },
      { b: [IsInt()], customerId: [IsUUID()], sellerId: [IsUUID()], note: [IsOptional(), IsString()] },
      [
        'breaking PROPERTY_RENAMED a',
        'breaking PROPERTY_RENAMED customer',
        'breaking PROPERTY_RENAMED seller',
        'additive PROPERTY_ADDED note',
      ],
    ],
    [
      'a property replaced',
      { a: [IsInt()] },
      { b: [IsOptional(), IsString()] },
      ['breaking PROPERTY_REMOVED a', 'additive PROPERTY_ADDED b'],
    ],
    ['an optional property added', { a: [IsInt()] }, { a: [IsInt()], b: [IsOptional(), IsInt()] }, ['additive PROPERTY_ADDED b']],
    ['a required property added', { a: [IsInt()] }, { a: [IsInt()], b: [IsInt()] }, ['breaking PROPERTY_REQUIRED b']],
    ['a property added of which nothing is said', {}, { b: [] }, ['additive PROPERTY_ADDED b']],
    ['a property made required', { a: [IsOptional(), IsInt()] }, { a: [IsInt()] }, ['breaking PROPERTY_REQUIRED a']],
    [
      'a property made optional',
      { a: [IsInt()] },
      { a: [IsOptional(), IsInt()] },
      ['additive PROPERTY_OPTIONAL a', 'additive TYPE_WIDENED a'],
    ],
    ['another type', { a: [IsString()] }, { a: [IsInt()] }, ['breaking TYPE_CHANGED a']],
    ['another emitted type', { a: [typed(String)] }, { a: [typed(Number)] }, ['breaking TYPE_CHANGED a']],
    ['one value made a list', { a: [IsString()] }, { a: [IsString(each)] }, ['breaking TYPE_CHANGED a']],
    ['numbers made whole', { a: [IsNumber()] }, { a: [IsInt()] }, ['breaking TYPE_NARROWED a']],
    ['whole numbers made any', { a: [IsInt()] }, { a: [IsNumber()] }, ['additive TYPE_WIDENED a']],
    [
      'items of a list declared, where one value is possible, too',
      { a: [typed(Array)] },
      { a: [Type(() => BigInt as never)] },
      ['additive TYPE_DECLARED a[]', 'additive TYPE_WIDENED a'],
    ],
    ['one of several types declared', { a: [] }, { a: [Type(() => BigInt as never)] }, ['additive TYPE_DECLARED a']],
    ['what nothing else is said of made required', { a: [IsOptional()] }, { a: [IsDefined()] }, ['breaking PROPERTY_REQUIRED a']],
    [
      'that of nested data',
      { line: [typed(Object), nested({ a: [IsOptional()] })] },
      { line: [typed(Object), nested({ a: [IsDefined()] })] },
      ['breaking PROPERTY_REQUIRED line.a', 'breaking PROPERTY_REQUIRED line[].a'],
    ],
    ['a property added that is only allowed', {}, { b: [Allow()] }, ['additive PROPERTY_ADDED b']],
    ['a type declared', { a: [] }, { a: [IsString()] }, ['additive TYPE_DECLARED a']],
    ['a type no longer declared', { a: [IsString()] }, { a: [] }, ['additive PROPERTY_OPTIONAL a', 'additive TYPE_WIDENED a']],
    [
      'a number made a bigint',
      { a: [IsInt()] },
      { a: [Type(() => BigInt as never)] },
      ['additive PROPERTY_OPTIONAL a', 'breaking TYPE_CHANGED a'],
    ],
    ['text made a Date', { a: [typed(String)] }, { a: [typed(Date)] }, ['breaking RULE_NARROWED a']],
    ['a Date made text', { a: [typed(Date)] }, { a: [typed(String)] }, ['additive RULE_WIDENED a']],
    [
      'a Date of which nothing is said any more',
      { a: [IsDate(), typed(Date)] },
      { a: [] },
      ['additive PROPERTY_OPTIONAL a', 'breaking TYPE_CHANGED a'],
    ],
    [
      'an optional Date of which nothing is said any more',
      { a: [IsOptional(), IsDate(), typed(Date)] },
      { a: [] },
      ['breaking TYPE_CHANGED a'],
    ],
    [
      'an optional bound written otherwise',
      { a: [IsOptional(), IsInt(), Min(1)] },
      { a: [IsOptional(), IsInt(), IsPositive()] },
      [],
    ],
    [
      'Dates of which nothing is said any more',
      { a: [typed(Array), Type(() => Date as never)] },
      { a: [] },
      ['breaking TYPE_CHANGED a'],
    ],
    ['a bigint of which nothing is said any more', { a: [Type(() => BigInt as never)] }, { a: [] }, ['breaking TYPE_CHANGED a']],
    ['a Map of which nothing is said any more', { a: [typed(Map)] }, { a: [] }, ['breaking TYPE_CHANGED a']],
    [
      'a class of which nothing is said any more',
      { a: [typed(Object), nested({ b: [IsInt()] })] },
      { a: [] },
      ['breaking TYPE_CHANGED a'],
    ],
    ['a Set made an array', { a: [typed(Set)] }, { a: [typed(Array)] }, []],
    ['a Map made an array', { a: [typed(Map)] }, { a: [IsString(each)] }, ['breaking TYPE_CHANGED a[]']],
    [
      'a value of a Map narrowed',
      { a: [typed(Map), nested({ b: [IsNumber()] })] },
      { a: [typed(Map), nested({ b: [IsInt()] })] },
      ['breaking TYPE_NARROWED a{}.b'],
    ],
    ['a format added', { a: [IsString()] }, { a: [IsUUID()] }, ['breaking RULE_NARROWED a']],
    ['a format removed', { a: [IsUUID()] }, { a: [IsString()] }, ['additive RULE_WIDENED a']],
    ['a minimum raised', { a: [Min(1)] }, { a: [Min(2)] }, ['breaking RULE_NARROWED a']],
    ['a minimum lowered', { a: [Min(2)] }, { a: [Min(1)] }, ['additive RULE_WIDENED a']],
    ['a maximum lowered', { a: [Max(2)] }, { a: [Max(1)] }, ['breaking RULE_NARROWED a']],
    ['a bound written otherwise', { a: [IsInt(), Min(1)] }, { a: [IsInt(), IsPositive()] }, []],
    ['a minimum that is no more allowed', { a: [Min(0)] }, { a: [IsPositive()] }, ['breaking RULE_NARROWED a']],
    ['a minimum made a wider one', { a: [Min(1)] }, { a: [IsPositive()] }, ['additive RULE_WIDENED a']],
    ['a divisor of more', { a: [IsDivisibleBy(4)] }, { a: [IsDivisibleBy(2)] }, ['additive RULE_WIDENED a']],
    ['a divisor of less', { a: [IsDivisibleBy(2)] }, { a: [IsDivisibleBy(4)] }, ['breaking RULE_NARROWED a']],
    ['another pattern', { a: [Matches(/^a/)] }, { a: [Matches(/^b/)] }, ['breaking RULE_NARROWED a']],
    ['a bound added', { a: [IsNumber()] }, { a: [IsPositive()] }, ['breaking RULE_NARROWED a']],
    ['a bound removed', { a: [MaxLength(3)] }, { a: [IsString()] }, ['additive RULE_WIDENED a']],
    ['a Set made a Map', { a: [typed(Set)] }, { a: [typed(Map)] }, ['breaking TYPE_CHANGED a']],
    ['a transform begun', { a: [IsString()] }, { a: transformed }, ['additive PROPERTY_OPTIONAL a', 'breaking TYPE_CHANGED a']],
    ['a transform begun where nothing was said', { a: [] }, { a: transformed }, ['additive TYPE_DECLARED a']],
    ['a transform ended', { a: transformed }, { a: [IsInt()] }, ['breaking TYPE_CHANGED a']],
    ['a transform that stays', { a: transformed }, { a: transformed }, []],
    [
      'a transform of nested data ended',
      { a: [typed(Object), nested({ b: transformed })] },
      { a: [typed(Object), nested({ b: [IsInt()] })] },
      ['breaking TYPE_CHANGED a.b', 'breaking TYPE_CHANGED a[].b'],
    ],
    ['values of two types narrowed', { a: [IsIn(['x', 1])] }, { a: [IsIn(['x'])] }, ['breaking TYPE_NARROWED a']],
    ['values of two types made one', { a: [IsIn(['x', 1])] }, { a: [IsString()] }, ['breaking TYPE_NARROWED a']],
    [
      'a member put between those of an enum',
      { a: [IsEnum(enumOf('Low', 'High'))] },
      { a: [IsEnum(enumOf('Low', 'Middle', 'High'))] },
      ['breaking VALUE_CHANGED a', 'additive RULE_WIDENED a'],
    ],
    [
      'members of an enum in another order',
      { a: [IsEnum(enumOf('Low', 'High'), each)] },
      { a: [IsEnum(enumOf('High', 'Low'), each)] },
      ['breaking VALUE_CHANGED a', 'breaking VALUE_CHANGED a'],
    ],
    ['a member of an enum renamed', { a: [IsEnum(enumOf('Low', 'High'))] }, { a: [IsEnum(enumOf('Least', 'High'))] }, []],
    ['a value of a list as an enum removed', { a: [IsEnum(['x', 'y'])] }, { a: [IsEnum(['x'])] }, ['breaking RULE_NARROWED a']],
    [
      'two bounds, one each way',
      { a: [MinLength(2), MaxLength(5)] },
      { a: [MinLength(3), MaxLength(6)] },
      ['breaking RULE_NARROWED a', 'additive RULE_WIDENED a'],
    ],
    ['a value of a list removed', { a: [IsIn(['x', 'y'])] }, { a: [IsIn(['x'])] }, ['breaking RULE_NARROWED a']],
    ['a value of a list added', { a: [IsIn(['x'])] }, { a: [IsIn(['x', 'y'])] }, ['additive RULE_WIDENED a']],
    ['a list of values ended', { a: [IsIn(['x', 'y'])] }, { a: [IsString(), MinLength(1)] }, ['additive RULE_WIDENED a']],
    ['a list of numbers made all of them', { a: [IsIn([1, 2])] }, { a: [IsInt(), IsPositive()] }, ['additive RULE_WIDENED a']],
    ['values of a list no more allowed', { a: [IsIn([0, 2])] }, { a: [IsInt(), IsPositive()] }, ['breaking TYPE_NARROWED a']],
    [
      'values of a list too short',
      { a: [IsIn(['', 'y'])] },
      { a: [MinLength(1)] },
      ['breaking RULE_NARROWED a', 'additive RULE_WIDENED a'],
    ],
    ['a list of values begun', { a: [IsString()] }, { a: [IsIn(['x'])] }, ['breaking RULE_NARROWED a']],
    ['items of another type', { a: [IsString(each)] }, { a: [IsBoolean(each)] }, ['breaking TYPE_CHANGED a[]']],
    [
      'a property of nested data removed',
      { lines: [typed(Array), ValidateNested(each), nested({ sku: [IsString()], price: [IsInt()] })] },
      { lines: [typed(Array), ValidateNested(each), nested({ sku: [IsString()] })] },
      ['breaking PROPERTY_REMOVED lines[].price'],
    ],
    [
      'a property of nested data that is optional',
      { line: [typed(Object), IsOptional(), ValidateNested(), nested({ price: [IsInt()] })] },
      { line: [typed(Object), IsOptional(), ValidateNested(), nested({ price: [IsString()] })] },
      ['breaking TYPE_CHANGED line.price', 'breaking TYPE_CHANGED line[].price'],
    ],
  ])('knows %s', (_, before, after, expected) => {
    expect(found([madeEvent(before)], [madeEvent(after)])).toStrictEqual(expected);
  });

  it.each<[string, MadeEvent, MadeEvent, string[]]>([
    ['a required property with a value in the class', {}, { defaults: { b: 1 } }, ['additive PROPERTY_ADDED b']],
  ])('knows %s', (_, before, after, expected) => {
    expect(found([madeEvent({}, before)], [madeEvent({ b: [IsInt()] }, after)])).toStrictEqual(expected);
  });

  it.each<[string, MadeEvent, string[]]>([
    ['another value in the class', { defaults: { b: 2 } }, ['additive DEFAULT_CHANGED b']],
    ['no value in the class any more', {}, ['additive DEFAULT_CHANGED b', 'additive TYPE_WIDENED b']],
  ])('knows %s', (_, after, expected) => {
    expect(found([madeEvent({ b: [] }, { defaults: { b: 1 } })], [madeEvent({ b: [] }, after)])).toStrictEqual(expected);
  });

  it.each<[string, unknown, PropertyDecorator]>([
    ['a number', 1, IsInt()],
    ['an array', [], IsArray()],
    ['a plain object', { a: [1] }, IsObject()],
    ['a Date', new Date(0), IsDate()],
    ['a Map', new Map(), typed(Map)],
  ])('knows a required property that had %s as its value in the class', (_, value, rule) => {
    const required = madeEvent({ b: [IsDefined(), rule] });
    const filled = madeEvent({ b: [IsDefined(), rule] }, { defaults: { b: value } });
    expect(found([filled], [required])).toStrictEqual(['breaking PROPERTY_REQUIRED b']);
    writeContract({ classes: [filled], file, accept: 'breaking' });
    expect(checkContract({ classes: [filled], file })).toMatchObject({ isOutdated: false, changes: [] });
  });

  it.each<[string, () => unknown]>([
    ['an id that is made anew', randomUUID],
    ['a time', () => Date.now()],
    ['a time as text', () => new Date().toISOString()],
  ])('takes %s in the class for no value that stays', (_, value) => {
    @Event('made')
    class Made {
      @IsDefined() made = value();
    }
    writeContract({ classes: [Made], file });
    expect(readFileSync(file, 'utf8')).not.toContain('default');
    expect(assertContract({ classes: [Made], file })).toMatchObject({ isOutdated: false, changes: [] });
  });

  it('knows that of nested data, too', () => {
    const line = (defaults?: object) => madeEvent({ tags: [IsArray()] }, { class: 'Line', ...(defaults && { defaults }) });
    const holding = (target: Class) => madeEvent({ line: [typed(target), Type(() => target as never)] });
    expect(found([holding(line({ tags: [] }))], [holding(line())])).toStrictEqual(['breaking PROPERTY_REQUIRED line.tags']);
  });

  it('goes on with a contract that does not say which lists had a value in the class', () => {
    const filled = madeEvent({ b: [IsArray()] }, { defaults: { b: [] } });
    writeContract({ classes: [filled], file });
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"default": \[\],\s*/, ''));
    expect(assertContract({ classes: [filled], file })).toMatchObject({ isOutdated: true, changes: [] });
  });

  it.each<[string, z.ZodType, z.ZodType, string[]]>([
    ['an optional property required', z.string().optional(), z.string(), ['breaking PROPERTY_REQUIRED a']],
    [
      'an optional property of nested data required',
      z.object({ b: z.string().optional() }),
      z.object({ b: z.string() }),
      ['breaking PROPERTY_REQUIRED a.b'],
    ],
    ['an optional property that stays so', z.string().optional(), z.string().optional(), []],
    [
      'values of a record of another type',
      z.record(z.string(), z.int()),
      z.record(z.string(), z.string()),
      ['breaking TYPE_CHANGED a{}'],
    ],
    [
      'keys of a record narrowed',
      z.record(z.string(), z.int()),
      z.record(z.string().max(3), z.int()),
      ['breaking RULE_NARROWED a<key>'],
    ],
    [
      'keys of a record widened',
      z.record(z.string().max(3), z.int()),
      z.record(z.string().max(4), z.int()),
      ['additive RULE_WIDENED a<key>'],
    ],
    [
      'an item of a tuple of another type',
      z.tuple([z.string(), z.int(), z.int()]),
      z.tuple([z.int(), z.int(), z.string()]),
      ['breaking TYPE_CHANGED a[0]', 'breaking TYPE_CHANGED a[2]'],
    ],
    [
      'further items of a tuple of another type',
      z.tuple([z.string()]).rest(z.int()),
      z.tuple([z.string()]).rest(z.string()),
      ['breaking TYPE_CHANGED a[]'],
    ],
    [
      'a tuple made a list of all that it held',
      z.tuple([z.string(), z.string()]),
      z.array(z.string()),
      ['additive RULE_WIDENED a', 'additive RULE_WIDENED a'],
    ],
    [
      'a tuple made a list of less',
      z.tuple([z.string(), z.int()]),
      z.array(z.string()),
      ['additive RULE_WIDENED a', 'additive RULE_WIDENED a', 'breaking TYPE_CHANGED a[1]'],
    ],
    ['a record closed', z.record(z.string(), z.int()), z.strictObject({}), ['breaking RULE_NARROWED a']],
    ['nothing possible any more', z.string(), z.never(), ['additive TYPE_WIDENED a', 'breaking RULE_NARROWED a']],
    ['one value made a list', z.literal('x'), z.enum(['x', 'y']), ['additive RULE_WIDENED a']],
    ['a list made one value', z.enum(['x', 'y']), z.literal('x'), ['breaking RULE_NARROWED a']],
    ['data that holds itself', recursive(z.string()), recursive(z.string()), []],
    ['data that holds itself changed', recursive(z.string()), recursive(z.int()), ['breaking TYPE_CHANGED a.value']],
  ])('knows of a schema %s', (_, before, after, expected) => {
    expect(found([described(before)], [described(after)])).toStrictEqual(expected);
  });

  it('compares data that holds itself, once', () => {
    const tree = (rule: PropertyDecorator) => {
      const Node: Class = madeEvent({ value: [rule], parts: [typed(Array), Type(() => Node as never)] }, { class: 'Node' });
      return madeEvent({ root: [Type(() => Node as never), typed(Node)] });
    };
    expect(found([tree(IsInt())], [tree(IsInt())])).toStrictEqual([]);
    expect(found([tree(IsInt())], [tree(IsString())])).toContain('breaking TYPE_CHANGED root.value');
  });

  describe('of names and versions', () => {
    const one = { a: [IsInt()] };
    const two = { a: [IsString()] };

    it.each<[string, readonly Class[], Reading | undefined, string[]]>([
      ['a version raised with an upcaster', [madeEvent(two, { version: 2 })], 'upcast', ['additive VERSION_RAISED']],
      [
        'a version raised without an upcaster',
        [madeEvent(two, { version: 2 })],
        undefined,
        ['additive VERSION_RAISED', 'breaking UPCASTER_MISSING'],
      ],
      [
        'a version raised for nothing',
        [madeEvent(one, { version: 2 })],
        undefined,
        ['additive VERSION_RAISED', 'breaking UPCASTER_MISSING'],
      ],
      ['a version not raised', [madeEvent(two)], undefined, ['breaking TYPE_CHANGED a']],
      ['a class renamed', [madeEvent(one, { class: 'Other' })], undefined, []],
      [
        'an event renamed',
        [madeEvent(one, { name: 'order.made' })],
        undefined,
        ['breaking EVENT_RENAMED', 'additive EVENT_ADDED'],
      ],
      [
        'an event and its class renamed',
        [madeEvent(one, { name: 'order.made', class: 'Made' })],
        undefined,
        ['breaking EVENT_RENAMED', 'additive EVENT_ADDED'],
      ],
      ['an event removed', [], undefined, ['breaking EVENT_REMOVED']],
      ['an event removed that upcasters read', [], 'upcast', ['additive EVENT_RETIRED']],
      ['an event removed that is passed over', [], 'passed over', ['additive EVENT_RETIRED']],
      ['an event removed, with a gap between upcasters', [], 'no upcaster', ['breaking UPCASTER_MISSING']],
      ['an event added', [madeEvent(one), madeEvent(two, { name: 'order.paid' })], undefined, ['additive EVENT_ADDED']],
    ])('knows %s', (_, after, reading, expected) => {
      expect(found([madeEvent(one)], after, reading && { reads: () => reading })).toStrictEqual(expected);
    });

    it('knows an event renamed with an alias, and goes on comparing what is stored under the old name', () => {
      const renamed = { name: 'order.made', aliases: ['order.placed'] };
      expect(found([madeEvent(one)], [madeEvent(one, renamed)])).toStrictEqual(['additive EVENT_ADDED']);
      const { contract } = writeContract({ classes: [madeEvent(one, renamed)], file });
      expect(Object.keys(contract.events)).toStrictEqual(['order.made', 'order.placed']);
      const { changes } = checkContract({ classes: [madeEvent(two, renamed)], file });
      expect(changes).toEqual([
        expect.objectContaining({ code: 'TYPE_CHANGED', name: 'order.made', path: 'a' }),
        expect.objectContaining({ code: 'TYPE_CHANGED', name: 'order.placed', path: 'a' }),
      ]);
      expect(checkContract({ classes: [madeEvent(one, { ...renamed, aliases: [] })], file }).changes).toEqual([
        expect.objectContaining({ kind: 'breaking', name: 'order.placed' }),
      ]);
    });

    it('says which class lost an alias', () => {
      const renamed = { name: 'order.made', aliases: ['order.placed', 'OrderPlaced'] };
      writeContract({ classes: [madeEvent(one)], file });
      writeContract({ classes: [madeEvent(one, renamed)], file });
      const { changes } = checkContract({ classes: [madeEvent(one, { ...renamed, aliases: ['OrderPlaced'] })], file });
      expect(changes).toEqual([
        expect.objectContaining({
          code: 'EVENT_RENAMED',
          problem: 'no class has the name; "order.made", of the class Placed, had it as an alias',
          remedy:
            "Write @Event('order.made', { aliases: ['OrderPlaced', 'order.placed'] }) on Placed, or give it the name 'order.placed' again",
        }),
      ]);
    });

    it('tells once that an event is retired', () => {
      const retired = { classes: [], passOver: ['order.placed'], file };
      writeContract({ classes: [madeEvent(one)], file });
      expect(writeContract(retired).changes).toHaveLength(1);
      expect(assertContract(retired)).toMatchObject({ isOutdated: false, changes: [] });
      expect(checkContract({ classes: [], file }).changes).toEqual([expect.objectContaining({ kind: 'breaking' })]);
      expect(checkContract({ classes: [madeEvent(two)], file }).changes).toEqual([
        expect.objectContaining({ code: 'TYPE_CHANGED' }),
      ]);
    });

    it('knows a version lowered', () => {
      expect(found([madeEvent(one, { version: 2 })], [madeEvent(one)])).toStrictEqual(['breaking VERSION_LOWERED']);
    });

    it('keeps every version that was written, and asks for a way from each', () => {
      writeContract({ classes: [madeEvent(one)], file });
      writeContract({ classes: [madeEvent(two, { version: 2 })], file, reads: () => 'upcast' });
      const third = { classes: [madeEvent(one, { version: 3 })], file };
      const { contract } = writeContract({ ...third, reads: () => 'upcast' });
      expect(Object.keys(contract.events['order.placed']?.shapes ?? {})).toStrictEqual(['1', '2', '3']);
      const reads = (_: string, version: number) => (version === 2 ? 'upcast' : 'no upcaster');
      expect(checkContract({ ...third, reads }).changes).toEqual([
        expect.objectContaining({ code: 'UPCASTER_MISSING', name: 'order.placed', version: 1 }),
      ]);
    });

    it('says where the change is, what it is, and what to write', () => {
      writeContract({ classes: [madeEvent(one)], file });
      expect(checkContract({ classes: [madeEvent(two)], file }).changes).toStrictEqual([
        {
          kind: 'breaking',
          code: 'TYPE_CHANGED',
          name: 'order.placed',
          version: 1,
          path: 'a',
          problem: 'it was integer and is string',
          remedy:
            "Keep the type; or raise the version: @Event('order.placed', { version: 2 }) and @Upcasts(Placed, { from: 1, to: 2 })",
        },
      ]);
    });
  });

  describe('of identities', () => {
    const event = madeEvent({ orderId: [IsUUID()], customerId: [IsUUID()] });
    const other = madeEvent({ orderId: [IsUUID()] }, { name: 'order.paid', class: 'Paid' });

    function aggregate(options: object, ids: readonly string[], map: object = {}, name = 'Order'): Class {
      class Order extends AggregateRoot {
        handle() {}
      }
      Object.defineProperty(Order, 'name', { value: name });
      for (const id of ids) ProjectionId()(Order.prototype as never, id as never);
      handle(Order, 'handle', event, map);
      Aggregate(options)(Order as never);
      return Order;
    }

    function projection(options: object, ids: readonly string[], events: readonly Class[] = [event], map: object = {}): Class {
      class Orders {
        one() {}
        two() {}
      }
      for (const id of ids) ProjectionId()(Orders.prototype as never, id as never);
      for (const [index, handled] of events.entries()) handle(Orders, index === 0 ? 'one' : 'two', handled, map);
      Projection(options)(Orders as never);
      return Orders;
    }

    function reactor(options: object, ids: readonly string[]): Class {
      class Mailer {
        one() {}
      }
      for (const id of ids) ProjectionId()(Mailer.prototype as never, id as never);
      handle(Mailer, 'one', event, {});
      Reactor(options)(Mailer as never);
      return Mailer;
    }

    it.each<[string, Class, Class[], string[]]>([
      ['nothing changed', aggregate({}, ['orderId']), [aggregate({}, ['orderId'])], []],
      ['other ids', aggregate({}, ['orderId']), [aggregate({}, ['orderId', 'customerId'])], ['breaking IDS_CHANGED']],
      [
        'another order of ids',
        aggregate({}, ['orderId', 'customerId']),
        [aggregate({}, ['customerId', 'orderId'])],
        ['breaking IDS_CHANGED'],
      ],
      [
        'another id map',
        aggregate({ guard: 'boundary' }, ['orderId']),
        [aggregate({ guard: 'boundary' }, ['orderId'], { orderId: 'customerId' })],
        ['breaking ID_MAP_CHANGED'],
      ],
      [
        'another name',
        aggregate({}, ['orderId']),
        [aggregate({ name: 'Purchase' }, ['orderId'])],
        ['breaking AGGREGATE_RENAMED', 'additive AGGREGATE_ADDED'],
      ],
      [
        'another name of the class, which is that of its streams',
        aggregate({}, ['orderId']),
        [aggregate({}, ['orderId'], {}, 'Purchase')],
        ['breaking AGGREGATE_RENAMED', 'additive AGGREGATE_ADDED'],
      ],
      [
        'a guard by the boundary',
        aggregate({}, ['orderId']),
        [aggregate({ guard: 'boundary' }, ['orderId'])],
        ['additive GUARD_CHANGED'],
      ],
      [
        'a guard by the stream',
        aggregate({ guard: 'boundary' }, ['orderId']),
        [aggregate({}, ['orderId'])],
        ['breaking GUARD_CHANGED'],
      ],
      [
        'an event that another aggregate handles now',
        aggregate({}, ['orderId']),
        [aggregate({ name: 'Purchase' }, ['purchaseId'], { purchaseId: 'orderId' }, 'Purchase')],
        ['additive AGGREGATE_REMOVED', 'additive AGGREGATE_ADDED', 'breaking EVENT_MOVED'],
      ],
      ['an aggregate removed', aggregate({}, ['orderId']), [], ['additive AGGREGATE_REMOVED']],
      ['an aggregate added', event, [aggregate({}, ['orderId'])], ['additive AGGREGATE_ADDED']],
      ['a projection added', event, [projection({}, ['orderId'])], ['additive PROJECTION_ADDED']],
      ['a projection removed', projection({}, ['orderId']), [], ['additive PROJECTION_REMOVED']],
      ['other ids of a projection', projection({}, ['orderId']), [projection({}, ['customerId'])], ['breaking IDS_CHANGED']],
      [
        'other ids of a projection that is built anew',
        projection({}, ['orderId']),
        [projection({ version: 2 }, ['customerId'])],
        ['additive PROJECTION_CHANGED'],
      ],
      [
        'other ids of a live projection',
        projection({ mode: 'live' }, ['orderId']),
        [projection({ mode: 'live' }, ['customerId'])],
        ['additive IDS_CHANGED'],
      ],
      [
        'another id map of a projection',
        projection({}, ['orderId']),
        [projection({}, ['orderId'], [event], { orderId: 'customerId' })],
        ['breaking ID_MAP_CHANGED'],
      ],
      [
        'an id map that is a function',
        projection({}, ['orderId']),
        [projection({}, ['orderId'], [event], { orderId: () => [] })],
        ['breaking ID_MAP_CHANGED'],
      ],
      [
        'a lower version of a projection',
        projection({ version: 2 }, ['orderId']),
        [projection({}, ['orderId'])],
        ['breaking PROJECTION_VERSION_LOWERED'],
      ],
      [
        'one more event',
        projection({}, ['orderId']),
        [projection({}, ['orderId'], [event, other])],
        ['additive PROJECTION_CHANGED'],
      ],
      [
        'another mode',
        projection({}, ['orderId']),
        [projection({ mode: 'inline' }, ['orderId'])],
        ['additive PROJECTION_CHANGED'],
      ],
      ['other ids of a reactor', reactor({}, ['orderId']), [reactor({}, ['customerId'])], ['additive IDS_CHANGED']],
      [
        'another name of a reactor',
        reactor({}, []),
        [reactor({ name: 'Letters' }, [])],
        ['additive PROJECTION_REMOVED', 'additive PROJECTION_ADDED'],
      ],
    ])('knows %s', (_, before, after, expected) => {
      expect(found([event, other, before].filter(unique), [event, other, ...after])).toStrictEqual(expected);
    });
  });

  it('knows that upcasters lead to an aggregate what lies in streams of another', () => {
    const release = (name: string, type: string, guard: object): Class[] => {
      const Paid = madeEvent({ orderId: [IsString()] }, { name: type });
      class Payment extends AggregateRoot {
        handle() {}
      }
      Handles(Paid as never)(Payment.prototype, 'handle', Object.getOwnPropertyDescriptor(Payment.prototype, 'handle') as never);
      ProjectionId()(Payment.prototype as never, 'orderId' as never);
      Object.defineProperty(Payment, 'name', { value: name });
      Aggregate(guard)(Payment);
      return [Paid, Payment];
    };
    writeContract({ classes: release('Card', 'card.paid', {}), file });
    const [Paid, ...others] = release('Payment', 'order.paid', {}) as [Class, Class];
    const upcasters = [upcasts('card.paid', { from: 1, to: 1, into: Paid }, (data) => data)];
    const moved = {
      code: 'EVENT_MOVED',
      name: 'Payment',
      problem: expect.stringMatching(/"card\.paid" lie in the streams of Card/),
    };
    expect(checkContract({ classes: [Paid, ...others], upcasters, file }).changes).toContainEqual(expect.objectContaining(moved));
    const [Open, ...open] = release('Payment', 'order.paid', { guard: 'boundary' }) as [Class, Class];
    const led = [upcasts('card.paid', { from: 1, to: 1, into: Open }, (data) => data)];
    assertContract({ classes: [Open, ...open], upcasters: led, file });
  });

  it.each<[string, 'boundary' | 'stream', number, string, string[]]>([
    ['that upcasters give', 'boundary', 2, 'customerId', ['additive VERSION_RAISED', 'additive IDS_CHANGED']],
    ['that no upcaster can have given', 'boundary', 1, 'customerId', ['breaking IDS_CHANGED']],
    ['that name streams', 'stream', 2, 'customerId', ['additive VERSION_RAISED', 'breaking IDS_CHANGED']],
    ['under the name of the class', 'boundary', 2, 'customer', ['additive VERSION_RAISED', 'additive ID_MAP_CHANGED']],
  ])('knows ids of an aggregate %s', (_, guard, version, id, expected) => {
    const release = (ids: string, source: string, of: number): Class[] => {
      const Placed = madeEvent({ [source]: [IsString()] }, { version: of });
      class Customer extends AggregateRoot {
        handle() {}
      }
      Handles(Placed as never, { [ids]: source } as never)(
        Customer.prototype as never,
        'handle',
        Object.getOwnPropertyDescriptor(Customer.prototype, 'handle') as never,
      );
      ProjectionId()(Customer.prototype, ids);
      Aggregate(guard === 'boundary' ? { guard } : {})(Customer);
      return [Placed, Customer];
    };
    const [before, after] = [release('customer', 'customer', 1), release(id, 'customerId', version)];
    const changes = found(before, after, { reads: (_name, stored) => (stored === version ? 'current' : 'upcast') });
    expect(changes.filter((change) => !change.includes('PROPERTY'))).toStrictEqual(expected);
  });

  it.each<[string, string, RegExp]>([
    ['that is cut', '{ "format": 1, "events": {', /is no JSON: .*restore it from version control/],
    ['that is empty', '', /is no JSON/],
    ['with a merge conflict', '{\n<<<<<<< HEAD\n  "format": 1\n=======\n>>>>>>> other\n}', /holds a merge conflict/],
    ['of a later form', '{ "format": 2 }', /is of format 2, .*install the release that wrote it/],
    ['without a form', '{}', /is of format undefined/],
    ['that is something else', '[]', /holds an array, no contract/],
    ['without events', '{ "format": 1, "aggregates": {}, "projections": {} }', /has undefined where its events are to be/],
    [
      'with half an event',
      '{ "format": 1, "events": { "a": { "class": "A" } }, "aggregates": {}, "projections": {} }',
      /has undefined for "version" of "a"/,
    ],
    ['with no event', '{ "format": 1, "events": { "a": 1 }, "aggregates": {}, "projections": {} }', /has 1 for events "a"/],
    [
      'with a shape that is none',
      '{ "format": 1, "events": { "a": { "class": "A", "version": 1, "shapes": { "1": 5 } } }, "aggregates": {}, "projections": {} }',
      /for "shapes" of "a"/,
    ],
    [
      'with a shape that is cut',
      '{ "format": 1, "events": { "a": { "class": "A", "version": 1, "shapes": { "1": { "properties": { "b": null } } } } }, "aggregates": {}, "projections": {} }',
      /for "shapes" of "a"/,
    ],
    [
      'without the shape that is written',
      '{ "format": 1, "events": { "a": { "class": "A", "version": 2, "shapes": { "1": {} } } }, "aggregates": {}, "projections": {} }',
      /has no shape of version 2 of "a"/,
    ],
    [
      'with a version that is written otherwise',
      '{ "format": 1, "events": { "a": { "class": "A", "version": 1, "shapes": { "01": {} } } }, "aggregates": {}, "projections": {} }',
      /for "shapes" of "a"/,
    ],
    [
      'with a list of names that is none',
      '{ "format": 1, "events": { "a": { "class": "A", "version": 1, "shapes": { "1": { "required": "b" } } } }, "aggregates": {}, "projections": {} }',
      /for "shapes" of "a"/,
    ],
  ])('refuses a file %s, and leaves it as it is', (_, text, problem) => {
    writeFileSync(file, text);
    for (const call of [checkContract, assertContract, writeContract]) {
      const caught = errorOf(() => call({ classes: [], file }));
      expect(caught).toBeInstanceOf(UnreadableLockError);
      expect(caught.message).toMatch(problem);
      expect(caught.message).toContain(file);
    }
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('reads a file with a byte order mark', () => {
    writeFileSync(file, `\uFEFF${lockText(writeContract({ classes: [madeEvent({})], file }).contract)}`);
    expect(assertContract({ classes: [madeEvent({})], file })).toMatchObject({ isOutdated: false });
  });

  it('refuses classes that do not fit together, and what it does not know', () => {
    expect(() => checkContract({ classes: [class {}], file })).toThrow(StartUpError);
    expect(() => checkContract({ file } as never)).toThrow(InvalidArgumentError);
    expect(() => checkContract({ classes: [], lock: file } as never)).toThrow(InvalidArgumentError);
  });
});

describe('writeContract', () => {
  it('writes the same text whatever the order of classes and properties', () => {
    const texts = [
      [madeEvent({ a: [IsInt()], b: [IsInt()] }), madeEvent({}, { name: 'other', class: 'Other' })],
      [madeEvent({}, { name: 'other', class: 'Other' }), madeEvent({ b: [IsInt()], a: [IsInt()] })],
    ].map((classes) => lockText(writeContract({ classes, file }).contract));
    expect(texts[0]).toBe(texts[1]);
    expect(readFileSync(file, 'utf8')).toBe(texts[0]);
    expect(texts[0]).toMatch(/^\{\n {2}"aggregates".*\}\n$/s);
  });

  it('writes nothing when a change breaks stored events, unless that is accepted', () => {
    writeContract({ classes: [madeEvent({ a: [IsInt()] })], file });
    const text = readFileSync(file, 'utf8');
    const after = { classes: [madeEvent({ a: [IsString()] })], file };
    expect(() => writeContract(after)).toThrow(BrokenContractError);
    expect(readFileSync(file, 'utf8')).toBe(text);
    writeContract({ ...after, accept: 'breaking' });
    expect(assertContract(after)).toMatchObject({ isNew: false, isOutdated: false, changes: [] });
  });

  it('forgets an event that cannot be read any more only when that is accepted', () => {
    writeContract({ classes: [madeEvent({})], file });
    writeContract({ classes: [], file, accept: 'breaking' });
    expect(assertContract({ classes: [], file }).contract.events).toStrictEqual({});
  });

  it('makes the folder, and says where it cannot write', () => {
    const deep = join(folder, 'a/b/eventfold.lock.json');
    writeContract({ classes: [], file: deep });
    expect(assertContract({ classes: [], file: deep })).toMatchObject({ isNew: false });
    const within = join(deep, 'eventfold.lock.json');
    expect(errorOf(() => writeContract({ classes: [], file: within }))).toBeInstanceOf(UnreadableLockError);
    expect(errorOf(() => writeContract({ classes: [], file: folder }))).toBeInstanceOf(UnreadableLockError);
  });

  it('leaves a file that a formatter has written otherwise', () => {
    const { contract } = writeContract({ classes: [madeEvent({})], file });
    writeFileSync(file, JSON.stringify(contract));
    writeContract({ classes: [madeEvent({})], file });
    expect(readFileSync(file, 'utf8')).toBe(JSON.stringify(contract));
  });

  it('says when the file is older than the classes', () => {
    writeContract({ classes: [], file });
    expect(assertContract({ classes: [madeEvent({})], file })).toMatchObject({ isOutdated: true });
  });
});

describe('assertContract', () => {
  it('fails without a contract, and writes none', () => {
    expect(() => assertContract({ classes: [], file })).toThrow(/There is no .*eventfold.lock.json yet/);
    expect(existsSync(file)).toBe(false);
  });

  it('fails with each change that breaks stored events', () => {
    writeContract({ classes: [madeEvent({ a: [IsInt()] })], file });
    const caught = errorOf(() => assertContract({ classes: [], file })) as BrokenContractError;
    expect(caught).toBeInstanceOf(BrokenContractError);
    expect(caught.changes.map(({ code }) => code)).toStrictEqual(['EVENT_REMOVED']);
    expect(caught.message).toContain('order.placed: no class, alias or upcaster has the name [EVENT_REMOVED]');
  });
});

function handle(target: Class, method: string, ...[event, map]: readonly [Class, object]): void {
  const prototype = target.prototype as object;
  const decorate = Handles(event as never, map as never) as unknown as MethodDecorator;
  decorate(prototype, method, Object.getOwnPropertyDescriptor(prototype, method) as PropertyDescriptor);
}

function unique<T>(item: T, index: number, items: readonly T[]): boolean {
  return items.indexOf(item) === index;
}

function errorOf(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('It did not throw.');
}
