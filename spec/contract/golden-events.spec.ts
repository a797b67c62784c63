import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { Type } from 'class-transformer';
import { IsEmail, IsInt, IsOptional, IsPositive, IsString, IsUUID, Max, Min, MinLength, ValidateNested } from 'class-validator';
import {
  createEvent,
  Event,
  Handles,
  InvalidArgumentError,
  type JsonSchema,
  Projection,
  ProjectionId,
  Registry,
} from 'eventfold';
import { checkGoldenEvents, GoldenEventError, goldenEvents, writeContract } from 'eventfold/contract';
import { exampleOf } from '../../lib/contract/example';
import { Account, AccountBalance, Deposited } from '../../samples/bank/account';
import { madeEvent } from '../controls/made-events';

let folder = '';
let file = '';

beforeEach(() => {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'eventfold-golden-')));
  folder = join(parent, 'golden');
  file = join(parent, 'eventfold.lock.json');
});

afterEach(() => rmSync(join(folder, '..'), { recursive: true }));

const classes = [Account, AccountBalance];

/** Takes the classes as they are into the contract. */
function accept(...accepted: readonly unknown[]): void {
  writeContract({ classes: accepted, file, accept: 'breaking' });
}

class Line {
  @IsString() sku!: string;
  @ValidateNested({ each: true }) @Type(() => Line) parts!: Line[];
}

@Event('order.placed/now')
class Placed {
  @IsUUID() orderId!: string;
  @IsEmail() mail!: string;
  @Min(3) @Max(5) pieces!: number;
  @MinLength(20) note!: string;
  @IsOptional() @IsInt() age?: number;
  @Type(() => Date) due!: Date;
  @Type(() => BigInt) grams!: bigint;
  @Type(() => Date) byPort!: Map<string, Date>;
  @Type(() => Line) line!: Line;
}

@Projection()
class Placings {
  @ProjectionId() orderId!: string;
  total = 0;

  @Handles(Placed)
  placed(event: Placed) {
    this.total += event.pieces + event.line.parts.length + event.due.getTime() + event.byPort.size + Number(event.grams);
  }
}

@Projection()
class Fussy {
  @Handles(Deposited)
  async deposited(event: Deposited) {
    if (event.amount < 5) throw new RangeError('too little');
  }
}

describe('goldenEvents', () => {
  it('keeps an example of each event that fits its schema, and gives it to every handler', async () => {
    accept(...classes, Placings);
    const report = await goldenEvents(folder, { classes: [...classes, Placings], file });
    expect(report).toMatchObject({ checked: 4, failures: [] });
    expect(readdirSync(folder)).toStrictEqual([
      'account.deposited.v2.json',
      'account.opened.v1.json',
      'account.transferred.v3.json',
      'order.placed%2Fnow.v1.json',
    ]);
    const text = readFileSync(join(folder, 'account.deposited.v2.json'), 'utf8');
    expect(JSON.parse(text)).toStrictEqual({
      type: 'account.deposited',
      version: 2,
      data: { accountId: '00000000-0000-4000-8000-000000000001', amount: 1 },
    });
  });

  it('makes examples that fit, of everything that an event can hold', () => {
    const schema = Object.values(Registry.of([Placed]).toJsonSchema())[0] as JsonSchema;
    const ajv = addFormats.default(new Ajv({ strict: true, allowUnionTypes: true, strictTuples: false }));
    expect(ajv.validate(schema, exampleOf(schema))).toBe(true);
    expect(exampleOf(schema)).toStrictEqual(exampleOf(schema));
  });

  it('never changes an example that is there', async () => {
    accept(...classes);
    await goldenEvents(folder, { classes, file });
    const path = join(folder, 'account.deposited.v2.json');
    const text = '{ "type": "account.deposited", "version": 2, "data": { "accountId": "a", "amount": 7, "old": true } }';
    writeFileSync(path, text);
    const given = createEvent(Deposited, { accountId: '00000000-0000-4000-8000-000000000002', amount: 3 });
    expect(await goldenEvents(folder, { classes, file, examples: [given] })).toMatchObject({ written: [], checked: 3 });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('takes an example that is given before it makes one', async () => {
    accept(...classes);
    const given = createEvent(Deposited, { accountId: '00000000-0000-4000-8000-000000000002', amount: 3 });
    await goldenEvents(folder, { classes, file, examples: [given] });
    const { data } = JSON.parse(readFileSync(join(folder, 'account.deposited.v2.json'), 'utf8')) as { data: object };
    expect(data).toStrictEqual({ accountId: '00000000-0000-4000-8000-000000000002', amount: 3 });
  });

  it('keeps an example of each version that the contract knows', async () => {
    const [first, second] = [1, 2].map((version) => madeEvent({ a: [IsPositive()] }, { version }));
    writeContract({ classes: [first], file });
    writeContract({ classes: [second], file, reads: () => 'upcast' });
    await checkGoldenEvents(folder, { classes: [second], file, reads: () => 'upcast' });
    expect(readdirSync(folder)).toStrictEqual(['order.placed.v1.json', 'order.placed.v2.json']);
  });

  it('says which example fails at which handler', async () => {
    accept(...classes, Fussy);
    const caught = await goldenEvents(folder, { classes: [...classes, Fussy], file }).catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(GoldenEventError);
    const { failures, message } = caught as GoldenEventError;
    expect(failures).toEqual([expect.objectContaining({ place: 'Fussy.deposited', problem: 'RangeError: too little' })]);
    expect(message).toBe(
      `✗ ${join(folder, 'account.deposited.v2.json')}, Fussy.deposited: RangeError: too little\nOne example fails.`,
    );
  });

  it.each([
    ['that is cut', '{ "type": "account.dep', /is no JSON/],
    ['without data', '{ "type": "account.deposited", "version": 1 }', /holds no \{ type, version, data \}/],
    ['of an unknown event', '{ "type": "account.closed", "version": 1, "data": {} }', /account\.closed/],
    ['whose data belongs to nobody', '{ "type": "account.deposited", "version": 2, "data": {} }', /accountId/],
  ])('fails at a file %s, and reads the others', async (_, text, problem) => {
    accept(...classes);
    await goldenEvents(folder, { classes, file });
    writeFileSync(join(folder, 'account.deposited.v2.json'), text);
    const { failures, checked } = await checkGoldenEvents(folder, { classes, file });
    expect(checked).toBe(3);
    expect(failures.length).toBeGreaterThan(0);
    for (const { file: name, problem: found } of failures) {
      expect(name).toBe(join(folder, 'account.deposited.v2.json'));
      expect(found).toMatch(problem);
    }
  });

  it('keeps none while a change breaks the contract', async () => {
    writeContract({ classes: [madeEvent({ a: [IsInt()] })], file });
    const changed = [madeEvent({ a: [IsString()] })];
    expect(await checkGoldenEvents(folder, { classes: changed, file })).toStrictEqual({
      written: [],
      checked: 0,
      failures: [],
      withheld: 'broken contract',
    });
    accept(...changed);
    expect(await checkGoldenEvents(folder, { classes: changed, file })).toMatchObject({ checked: 1 });
  });

  it('keeps none before there is a contract, and fails', async () => {
    const report = { written: [], checked: 0, failures: [], withheld: 'no contract' };
    expect(await checkGoldenEvents(folder, { classes, file })).toStrictEqual(report);
    await expect(goldenEvents(folder, { classes, file })).rejects.toThrow(
      `There is no ${file} to keep examples of yet. Write it: npx eventfold contract --write`,
    );
    expect(existsSync(folder)).toBe(false);
  });

  it('keeps an example of each event, whatever it is called', async () => {
    const long = `order.${'a'.repeat(244)}`;
    const names = ['Order', 'order', 'order.*', 'nul.sent', 'nullified', long, `${long}é`];
    const made = names.map((name) => madeEvent({}, { name }));
    accept(...made);
    const { written } = await goldenEvents(folder, { classes: made, file });
    expect(written).toHaveLength(names.length);
    const files = readdirSync(folder);
    const beginning = long.slice(0, 100);
    expect(files.map((name) => name.replace(/~[0-9a-f]{12}/, '~hash'))).toStrictEqual([
      '%6eul.sent.v1.json',
      'Order.v1.json',
      'nullified.v1.json',
      'order.%2A.v1.json',
      `${beginning}~hash.v1.json`,
      `${beginning}~hash.v1.json`,
      'order~hash.v1.json',
    ]);
    expect(new Set(files.map((name) => name.toLowerCase())).size).toBe(names.length);
    const types = files.map((name) => (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { type: string }).type);
    expect(types.sort()).toStrictEqual([...names].sort());
    const again = await goldenEvents(folder, { classes: [...made].reverse(), file });
    expect(again).toMatchObject({ written: [], checked: names.length });
  });

  it('names the event whose example cannot be kept', async () => {
    accept(...classes);
    // A link to nowhere is listed as no folder is, and cannot be one.
    symlinkSync(join(folder, '..', 'nowhere', 'golden'), folder);
    const keeping = goldenEvents(folder, { classes, file });
    await expect(keeping).rejects.toThrow(InvalidArgumentError);
    await expect(keeping).rejects.toThrow(`The example of "account.opened" version 1 cannot be kept in ${folder}: `);
  });

  it('refuses an example that is no event, and writes nothing', async () => {
    await expect(goldenEvents(folder, { classes, file, examples: [{}] })).rejects.toThrow(/no registered event/);
    expect(existsSync(folder)).toBe(false);
  });
});
