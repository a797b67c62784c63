import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsInt, IsString } from 'class-validator';
import { Handles, Projection, StartUpError, upcasts } from 'eventfold';
import {
  assertContract,
  BrokenContractError,
  breakingChanges,
  checkContract,
  checkGoldenEvents,
  writeContract,
} from 'eventfold/contract';
import { madeEvent } from '../controls/made-events';

let folder = '';
let file = '';

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'eventfold-upcasters-')));
  file = join(folder, 'eventfold.lock.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

const first = madeEvent({ total: [IsInt()] });
const second = madeEvent({ sum: [IsString()] }, { version: 2 });
const same = (way: { from: number; to: number }) => upcasts('order.placed', way, (data: object) => data);
const renamed = upcasts('order.placed', { from: 1, to: 2 }, ({ total }: { total?: number }) => ({ sum: String(total) }));

describe('checkContract', () => {
  const codes = (options: object) => checkContract({ classes: [second], file, ...options }).changes.map(({ code }) => code);

  beforeEach(() => {
    writeContract({ classes: [first], file });
  });

  it('asks the upcasters whether earlier versions can be read', () => {
    expect(codes({ upcasters: [renamed] })).toStrictEqual(['VERSION_RAISED']);
    expect(codes({})).toStrictEqual(['VERSION_RAISED', 'UPCASTER_MISSING']);
  });

  it('lets an event go that is passed over, or that upcasters make into another', () => {
    const other = madeEvent({ sum: [IsString()] }, { name: 'order.made', class: 'Made' });
    const merged = upcasts('order.placed', { from: 1, to: 1, into: other }, () => ({ sum: '' }));
    expect(codes({ classes: [], passOver: ['order.placed'] })).toStrictEqual(['EVENT_RETIRED']);
    expect(codes({ classes: [other], upcasters: [merged] })).toStrictEqual(['EVENT_RETIRED', 'EVENT_ADDED']);
  });

  it.each<[string, readonly object[], [code: string, name: string, version?: number][]]>([
    ['a gap at the end', [same({ from: 1, to: 2 })], [['UPCASTER_MISSING', 'order.placed', 2]]],
    ['a gap at the beginning', [same({ from: 2, to: 3 })], [['UPCASTER_MISSING', 'order.placed', 1]]],
    [
      'two ways, as after a merge of branches',
      [same({ from: 1, to: 2 }), same({ from: 2, to: 3 }), same({ from: 1, to: 3 })],
      [['UPCASTER_UNFIT', 'upcasts("order.placed", from 1)']],
    ],
    [
      'a class whose version is not raised',
      [same({ from: 1, to: 2 }), same({ from: 2, to: 3 }), same({ from: 3, to: 4 })],
      [['UPCASTER_UNFIT', 'upcasts("order.placed", from 3)']],
    ],
  ])('finds among the listed upcasters %s', (_, upcasters, expected) => {
    const options = { classes: [madeEvent({ sum: [IsString()] }, { version: 3 })], upcasters, file };
    const breaking = breakingChanges(checkContract(options));
    expect(breaking.map(({ code, name, version }) => [code, name, ...(version ? [version] : [])])).toStrictEqual(expected);
    const text = readFileSync(file, 'utf8');
    expect(() => assertContract(options)).toThrow(BrokenContractError);
    expect(() => writeContract(options)).toThrow(BrokenContractError);
    expect(() => writeContract({ ...options, accept: 'breaking' })).toThrow(StartUpError);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('throws where a name is passed over that is read', () => {
    expect(() => codes({ upcasters: [renamed], passOver: ['order.placed'] })).toThrow(StartUpError);
  });

  it('knows aliases', () => {
    const other = madeEvent({ total: [IsInt()] }, { name: 'order.made', aliases: ['order.placed'] });
    expect(codes({ classes: [other] })).toStrictEqual(['EVENT_ADDED']);
  });
});

describe('goldenEvents', () => {
  const seen: unknown[] = [];

  @Projection()
  class Sums {
    @Handles(second)
    placed(event: object) {
      seen.push({ ...event });
    }
  }

  it('gives examples of earlier versions to upcasters, and what these make to handlers', async () => {
    const golden = join(folder, 'golden');
    writeContract({ classes: [first], file });
    await checkGoldenEvents(golden, { classes: [first], file });
    const { failures, written } = await checkGoldenEvents(golden, { classes: [Sums], upcasters: [renamed], file });
    expect(failures).toStrictEqual([]);
    expect(written).toStrictEqual(['order.placed version 2']);
    expect(seen).toStrictEqual([{ sum: '1' }, { sum: 'sum' }]);
  });

  it('names the upcaster that fails', async () => {
    const golden = join(folder, 'golden');
    writeContract({ classes: [first], file });
    await checkGoldenEvents(golden, { classes: [first], file });
    writeFileSync(join(golden, 'order.placed.v1.json'), '{ "type": "order.placed", "version": 1, "data": {} }');
    const broken = upcasts('order.placed', { from: 1, to: 2 }, () => undefined as never);
    const { failures } = await checkGoldenEvents(golden, { classes: [Sums], upcasters: [broken], file });
    expect(failures).toEqual([
      expect.objectContaining({ place: 'reading', problem: expect.stringMatching(/UpcastError.*upcasts\(/) }),
    ]);
  });
});
