/** Copies a projection instance with all it holds, prototypes included. Functions are shared. */
export function copyState<T extends object>(state: T): T {
  return (flatCopy(state) ?? copy(state, new Map())) as T;
}

/** @returns a copy when no property is an object, as in most states; undefined when there is more to do. */
function flatCopy(state: object): object | undefined {
  const Blank = blankOf(state);
  if (Blank === undefined) return undefined;
  const target = new Blank();
  for (const key in state) {
    const value = (state as Record<string, unknown>)[key];
    if ((typeof value === 'object' && value !== null) || key === '__proto__') return undefined;
    target[key] = value;
  }
  return Object.getOwnPropertySymbols(state).length === 0 ? target : undefined;
}

type Blank = new () => Record<string, unknown>;

const blanks = new WeakMap<object, { readonly Blank: Blank | undefined }>();

/** @returns what makes empty instances of the same class, fast; undefined where instances are more than their properties. */
function blankOf(state: object): Blank | undefined {
  const prototype = Object.getPrototypeOf(state) as object | null;
  // Plain objects differ too much for one of them to tell of the others.
  if (prototype === null || prototype === Object.prototype) return undefined;
  let known = blanks.get(prototype);
  if (known === undefined) {
    known = { Blank: hasPlainProperties(state, prototype) ? blankFor(prototype) : undefined };
    blanks.set(prototype, known);
  }
  return known.Blank;
}

function hasPlainProperties(state: object, prototype: object): boolean {
  if (builtIn(state) !== undefined || Reflect.ownKeys(state).length !== Object.keys(state).length) return false;
  for (const _inherited in prototype) return false;
  return true;
}

function blankFor(prototype: object): Blank {
  function Blank(): void {}
  Blank.prototype = prototype;
  return Blank as unknown as Blank;
}

function copy(value: unknown, done: Map<object, object>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = done.get(value);
  if (known !== undefined) return known;
  const made = emptyCopy(value);
  done.set(value, made);
  if (value instanceof Map) for (const [key, item] of value) (made as typeof value).set(copy(key, done), copy(item, done));
  if (value instanceof Set) for (const item of value) (made as typeof value).add(copy(item, done));
  if (!ArrayBuffer.isView(value)) copyProperties(value, made, done);
  return made;
}

/** @returns an object of the same class with what it holds beside properties and members. */
function emptyCopy(value: object): object {
  const prototype = Object.getPrototypeOf(value) as object | null;
  const made = builtIn(value);
  if (made === undefined) return Object.create(prototype) as object;
  return Object.getPrototypeOf(made) === prototype ? made : Object.setPrototypeOf(made, prototype);
}

function builtIn(value: object): object | undefined {
  if (Array.isArray(value)) return new Array(value.length);
  if (value instanceof Date) return new Date(value);
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (value instanceof RegExp) return new RegExp(value);
  if (value instanceof Error) return new Error();
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer ? structuredClone(value) : undefined;
}

function copyProperties(from: object, to: object, done: Map<object, object>): void {
  for (const key of Reflect.ownKeys(from)) {
    if (Array.isArray(from) && key === 'length') continue;
    const { enumerable = false, configurable = false, writable = true } = Object.getOwnPropertyDescriptor(from, key) ?? {};
    const value = copy(Reflect.get(from, key), done);
    Object.defineProperty(to, key, { value, enumerable, configurable, writable });
  }
}
