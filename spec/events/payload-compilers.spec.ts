import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import type * as Booked from './fixtures/booked';
import { refusal, roundTrip } from './round-trip';

const root = join(__dirname, '../../..');
const source = join(root, 'spec/events/fixtures/booked.ts');

function swc(decoratorMetadata: boolean): string {
  const transform = { legacyDecorator: true, decoratorMetadata };
  const jsc = { parser: { syntax: 'typescript', decorators: true }, target: 'es2022', transform } as const;
  return transformSync(readFileSync(source, 'utf8'), { jsc, module: { type: 'commonjs' }, swcrc: false, configFile: false }).code;
}

function esbuild(): string {
  const options = JSON.stringify({ compilerOptions: { experimentalDecorators: true, emitDecoratorMetadata: true } });
  const flags = [source, '--format=cjs', '--target=es2022', `--tsconfig-raw=${options}`];
  return execFileSync(join(root, 'node_modules/.bin/esbuild'), flags, { encoding: 'utf8' });
}

function load(code: string): typeof Booked {
  const module = { exports: {} };
  new Function('require', 'module', 'exports', code)(require, module, module.exports);
  return module.exports as typeof Booked;
}

const at = new Date(0);
const values = { at, big: 1n, map: new Map([['a', 1]]), set: new Set([1]), days: new Map([['a', at]]) };

describe.each<[string, () => string, boolean]>([
  ['swc with decorator metadata', () => swc(true), true],
  ['swc without decorator metadata', () => swc(false), false],
  ['esbuild, which emits none', esbuild, false],
])('An event compiled by %s', (_name, compile, isEmitted) => {
  const { Emitted, Written, Seat } = load(compile());
  const seat = Object.assign(new Seat(), { row: 1 });

  it('holds what its own decorators declare', () => {
    const event = Object.assign(new Written(), values, { seat, seats: [seat] });
    expect(roundTrip(event)).toStrictEqual(event);
  });

  if (isEmitted) {
    it('holds what the compiler says of decorated properties', () => {
      const event = Object.assign(new Emitted(), values, { seat });
      expect(roundTrip(event)).toStrictEqual(event);
    });
  } else {
    it.each([
      ['at', at, 'Put @Type(() => Date) on it'],
      ['big', 1n, 'Put @Type(() => BigInt) on it'],
      ['map', values.map, 'Put @Type(() => Map) on it'],
      ['set', values.set, 'Put @Type(() => Set) on it'],
      ['seat', seat, 'Put @Type(() => Seat) on it'],
      ['days', values.days, `Compile with "emitDecoratorMetadata", or put @Reflect.metadata('design:type', Map) on it`],
    ])('is told what to write for %s', (property, value, remedy) => {
      const error = refusal(Object.assign(new Emitted(), { [property]: value }));
      expect(error.path).toBe(property);
      expect(error.message).toContain(remedy);
    });
  }
});
