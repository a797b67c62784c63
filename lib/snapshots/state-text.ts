import { type Class, nameOf } from '../events/event-class';

/** What stands in the way of writing a state down. It is thrown in these files, and never reaches a user. */
export class Obstacle {
  constructor(
    /** The property, and the way to the value within it: `lines[2].run`. */
    readonly path: string,
    readonly reason: string,
  ) {}

  toString(): string {
    return `${this.path} ${this.reason}`;
  }
}

/** The properties of an instance that are its state. */
export type Fields = ReadonlyMap<string, unknown>;

/** The classes whose instances may be part of a state, by name. */
export type KnownClasses = ReadonlyMap<string, Class>;

const noClasses: KnownClasses = new Map();

/**
 * Writes values as JSON that says by itself what JSON has no word for: such a value is an object with the property
 * `$`, its kind, and `v`. An object that is met twice is one object again when the text is read, also in a cycle.
 *
 * @throws {@link Obstacle} for a function, a symbol, an instance of a class, a property with a getter.
 */
export function textOfFields(fields: Fields, classes = noClasses): string {
  const writer = new Writer(classes);
  const written: Record<string, unknown> = {};
  let path = '';
  try {
    for (const [name, value] of fields) {
      path = name;
      if (name === '__proto__') throw new Obstacle(name, 'is no name for a property');
      written[name] = writer.write(value, name);
    }
    return JSON.stringify(written);
  } catch (error) {
    if (error instanceof RangeError) throw new Obstacle(path, 'is nested too deeply, or too large');
    throw error;
  }
}

/** @throws SyntaxError, RangeError or TypeError when the text is none that {@link textOfFields} wrote. */
export function fieldsOfText(text: string, classes = noClasses): Fields {
  const written: unknown = JSON.parse(text);
  if (typeof written !== 'object' || written === null || Array.isArray(written)) throw new SyntaxError('no object');
  const reader = new Reader(classes);
  return new Map(Object.entries(written).map(([name, value]) => [name, reader.read(value)]));
}

class Writer {
  private readonly met = new Map<object, number>();

  constructor(private readonly classes: KnownClasses) {}

  write(value: unknown, path: string): unknown {
    if (typeof value === 'object' && value !== null) return this.writeObject(value, path);
    if (typeof value === 'number')
      return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged('number', textOf(value));
    if (typeof value === 'bigint') return tagged('bigint', String(value));
    if (value === undefined) return { $: 'undefined' };
    if (typeof value === 'function' || typeof value === 'symbol') throw new Obstacle(path, `is a ${typeof value}`);
    return value;
  }

  private writeObject(value: object, path: string): unknown {
    const number = this.met.get(value);
    if (number !== undefined) return tagged('same', number);
    this.met.set(value, this.met.size);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Array.prototype) return this.writeArray(value as unknown[], path);
    if (prototype === Object.prototype || prototype === null) return this.writePlain(value, prototype, path);
    const target = this.classOf(prototype);
    if (target !== undefined) return tagged('instance', [target.name, this.entriesOf(value, path)]);
    if (![Date.prototype, Map.prototype, Set.prototype].includes(prototype as never))
      throw new Obstacle(path, `is ${nameOf(value)}`);
    checkBare(value, path, 0);
    if (value instanceof Map) return this.writeMap(value, path);
    if (value instanceof Set) return this.writeSet(value, path);
    return tagged('date', timeOf(value as Date));
  }

  private writeMap(map: ReadonlyMap<unknown, unknown>, path: string): object {
    const pairs = Array.from(map, ([key, item], index) => [
      this.write(key, `${path}<key ${index}>`),
      this.write(item, `${path}<${typeof key === 'string' ? key : index}>`),
    ]);
    return tagged('map', pairs);
  }

  private writeSet(set: ReadonlySet<unknown>, path: string): object {
    const items = Array.from(set, (item, index) => this.write(item, `${path}{${index}}`));
    return tagged('set', items);
  }

  private writeArray(items: unknown[], path: string): unknown[] {
    const written: unknown[] = [];
    let count = 0;
    for (let index = 0; index < items.length; index += 1) {
      const isThere = Object.hasOwn(items, index);
      if (isThere) count += 1;
      written.push(isThere ? this.write(items[index], `${path}[${index}]`) : { $: 'hole' });
    }
    checkBare(items, path, count + 1);
    return written;
  }

  private classOf(prototype: unknown): Class | undefined {
    const target = (prototype as { readonly constructor?: Class } | undefined)?.constructor;
    return target !== undefined && this.classes.get(target.name) === target ? target : undefined;
  }

  private writePlain(value: object, prototype: object | null, path: string): unknown {
    const entries = this.entriesOf(value, path);
    const isOrdinary = prototype !== null && entries.every(([key]) => key !== '$' && key !== '__proto__');
    return isOrdinary ? Object.fromEntries(entries) : tagged(prototype === null ? 'bare' : 'object', entries);
  }

  private entriesOf(value: object, path: string): [string, unknown][] {
    return Reflect.ownKeys(value).map((key) => {
      const at = `${path}.${String(key)}`;
      const descriptor = Reflect.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
      if (typeof key === 'symbol' || !isVisible(descriptor)) throw new Obstacle(at, 'is no ordinary property');
      return [key, this.write(descriptor.value, at)];
    });
  }
}

class Reader {
  private readonly met: object[] = [];

  constructor(private readonly classes: KnownClasses) {}

  read(written: unknown): unknown {
    if (typeof written !== 'object' || written === null) return written;
    if (Array.isArray(written)) return this.readArray(written);
    if (Object.hasOwn(written, '$')) return this.readTagged(written as { $: unknown; v?: unknown });
    return this.readEntries({}, Object.entries(written));
  }

  private readTagged({ $: kind, v }: { readonly $: unknown; readonly v?: unknown }): unknown {
    switch (kind) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number(v);
      case 'bigint':
        return BigInt(v as string);
      case 'date':
        return this.remember(new Date(v === null ? Number.NaN : (v as number)));
      case 'same':
        return this.met[v as number] ?? fail(`no object ${String(v)}`);
      case 'object':
        return this.readEntries({}, entriesOf(v));
      case 'bare':
        return this.readEntries(Object.create(null) as object, entriesOf(v));
      case 'instance':
        return this.readInstance(arrayOf(v));
      case 'set':
        return this.readSet(arrayOf(v));
      case 'map':
        return this.readMap(entriesOf(v));
      default:
        return fail(`no kind ${String(kind)}`);
    }
  }

  private readInstance([name, entries]: readonly unknown[]): object {
    const target = this.classes.get(name as string) ?? fail(`no class ${String(name)}`);
    return this.readEntries(Object.create(target.prototype as object) as object, entriesOf(entries));
  }

  private readArray(written: unknown[]): unknown[] {
    const items = this.remember(new Array<unknown>(written.length));
    for (const [index, item] of written.entries()) if (!isHole(item)) items[index] = this.read(item);
    return items;
  }

  private readEntries(target: object, entries: readonly (readonly [unknown, unknown])[]): object {
    this.remember(target);
    for (const [key, item] of entries) {
      const value = this.read(item);
      Object.defineProperty(target, key as string, { value, configurable: true, enumerable: true, writable: true });
    }
    return target;
  }

  private readSet(items: readonly unknown[]): Set<unknown> {
    const set = this.remember(new Set<unknown>());
    for (const item of items) set.add(this.read(item));
    return set;
  }

  private readMap(entries: readonly (readonly [unknown, unknown])[]): Map<unknown, unknown> {
    const map = this.remember(new Map<unknown, unknown>());
    for (const [key, item] of entries) {
      const readKey = this.read(key);
      map.set(readKey, this.read(item));
    }
    return map;
  }

  private remember<T extends object>(made: T): T {
    this.met.push(made);
    return made;
  }
}

/** Says whether a property simply holds a value, as those do that an assignment makes; also in a frozen object. */
export function isVisible({ enumerable, writable }: PropertyDescriptor): boolean {
  return enumerable === true && writable !== undefined;
}

/** @throws {@link Obstacle} when the object has other properties than the `known` ones that it must have. */
function checkBare(value: object, path: string, known: number): void {
  if (Reflect.ownKeys(value).length > known) throw new Obstacle(path, 'has properties of its own');
}

function tagged(kind: string, v: unknown): object {
  return { $: kind, v };
}

function textOf(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function timeOf(date: Date): number | null {
  const time = date.getTime();
  return Number.isNaN(time) ? null : time;
}

function isHole(written: unknown): boolean {
  return typeof written === 'object' && written !== null && (written as { $?: unknown }).$ === 'hole';
}

function arrayOf(v: unknown): readonly unknown[] {
  return Array.isArray(v) ? v : fail('no array');
}

function entriesOf(v: unknown): readonly (readonly [unknown, unknown])[] {
  return arrayOf(v).map((pair) => (Array.isArray(pair) && pair.length === 2 ? (pair as [unknown, unknown]) : fail('no pair')));
}

function fail(problem: string): never {
  throw new SyntaxError(problem);
}
