/** Any class, abstract or not, whatever its constructor takes. */
export type Class<T = object> = abstract new (...args: never[]) => T;

/** What `C` makes. TypeScript's own `InstanceType` is `any` for a {@link Class}. */
export type InstanceOf<C extends Class> = C extends Class<infer E extends object> ? E : never;

/** The names of a class's data: its public properties that are not methods. */
export type DataKey<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? never : K }[keyof T] & string;

/** What an instance of `T` is made from: its data as a plain object, with the keys `Filled` optional. */
export type Payload<T, Filled extends string = never> = Pick<T, Exclude<DataKey<T>, Filled>> &
  Partial<Pick<T, Extract<DataKey<T>, Filled>>>;

/** The payload as a rest parameter: it may be left out when the event has no required data. */
export type PayloadArgument<T, Filled extends string = never> =
  Record<never, never> extends Payload<T, Filled> ? [payload?: Payload<T, Filled>] : [payload: Payload<T, Filled>];

/** @returns the payload that was given, whatever it is, or an empty one when it was left out. */
export function givenPayload([payload]: readonly unknown[]): object {
  return payload === undefined ? {} : (payload as object);
}

/** Says whether `value` can stand behind `new`. */
export function isClass(value: unknown): value is Class {
  return typeof value === 'function' && typeof value.prototype === 'object' && value.prototype !== null;
}

/** Names any value in an error message: a class by its name, text in quotes, anything else by its type. */
export function nameOf(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'an anonymous function' : value.name;
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || ['undefined', 'number', 'boolean', 'bigint', 'symbol'].includes(typeof value)) return String(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  const maker = prototype === null ? undefined : (prototype as { constructor?: { name?: string } }).constructor;
  return Array.isArray(value) ? 'an array' : `an object of ${maker?.name ?? 'no class'}`;
}
