import { type Class, nameOf, type Payload } from '../lib/events/event-class';
import { isStandardSchema, type StandardSchema } from '../lib/events/standard-schema';
import { checkName, checkOptions, decoratedClass } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import { eventSlot } from '../lib/metadata/slots';

/** What `@Event` takes beside the name. */
export interface EventOptions {
  /** The version of the event's shape: a whole number of 1 or more. 1 unless given. */
  readonly version?: number;
  /** Names under which events of this class were stored before. They are read, and never written. */
  readonly aliases?: readonly string[];
  /**
   * What the data has to be like, in a library that follows Standard Schema, such as `z.object({ … })` of Zod: asked when an event
   * is made, emitted or appended, beside the rules of class-validator. It answers at once, and with the data as it is.
   *
   * @see https://standardschema.dev
   */
  readonly schema?: StandardSchema;
}

/** What `@Event` takes with a schema that gives `D`. */
export interface SchemaOptions<D> extends EventOptions {
  readonly schema: StandardSchema<D>;
}

/** A class decorator of TypeScript or of the standard. */
export type AnyClassDecorator = (target: Class, context?: ClassDecoratorContext) => void;

/** A class decorator for events that a schema which gives `D` fits. */
export type EventDecorator<D> = <E extends object>(target: Class<E> & Fits<D, E>, context?: ClassDecoratorContext) => void;

/** What the compiler shows where a schema gives other data than the class holds, with what the class would take. */
export interface SchemaMisfit<Wanted> {
  readonly 'the schema gives other data than the class holds': Wanted;
}

type Fits<D, E> = unknown extends D ? unknown : [D] extends [Wanted<D, E>] ? unknown : SchemaMisfit<Wanted<D, E>>;
type Wanted<D, E> = WithUndefined<Pick<Payload<E>, (keyof D & keyof Payload<E>) | WritableKey<Payload<E>>>>;
/** Libraries give an optional property as one that may be undefined, which is not stored. */
type WithUndefined<P> = { [K in keyof P]: Record<never, never> extends Pick<P, K> ? P[K] | undefined : P[K] };
/** What is read-only may be computed by the class. */
type WritableKey<P> = {
  [K in keyof P]-?: IsSame<{ [L in K]: P[L] }, { -readonly [L in K]: P[L] }> extends true ? K : never;
}[keyof P];
type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * Declares a class of events: immutable facts, stored under a name that outlives the class.
 *
 * @param name The stored name, without ":", NUL and halves of surrogate pairs, of at most 700 bytes in UTF-8. The class's own name unless given; give one, so that renaming the class
 * later is free.
 * @throws {@link DecoratorError} when the name or an option is not usable.
 * @example
 * ```ts
 * @Event('account.deposited')
 * class Deposited {
 *   @IsUUID() accountId!: string;
 *   @IsPositive() amount!: number;
 * }
 *
 * @Event('account.closed', { schema: z.object({ accountId: z.uuid(), reason: z.string().min(3) }) })
 * class Closed {
 *   accountId!: string;
 *   reason!: string;
 * }
 * ```
 */
export function Event<D>(name: string | undefined, options: SchemaOptions<D>): EventDecorator<D>;
export function Event(name?: string, options?: EventOptions): AnyClassDecorator;
export function Event(name?: string, options: EventOptions = {}): AnyClassDecorator {
  checkOptions('@Event', options, ['version', 'aliases', 'schema']);
  if (name !== undefined) checkStoredName(name);
  const { version: schemaVersion = 1, aliases = [], schema } = options;
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1 || schemaVersion > highestVersion) {
    throw new DecoratorError(
      '@Event',
      'its options',
      `version ${nameOf(schemaVersion)} is not possible`,
      `Give a whole number of 1 or more, up to ${highestVersion}: they are counted, so 2 comes after 1`,
    );
  }
  if (schema !== undefined && !isStandardSchema(schema)) {
    const remedy = 'Give one of a library that follows Standard Schema, such as z.object({ … }) of Zod';
    throw new DecoratorError('@Event', 'its options', `its schema is ${nameOf(schema)}, which is none`, remedy);
  }
  return (...args) => {
    const { holder, name: className } = decoratedClass('@Event', args);
    const type = name ?? className;
    checkStoredName(type);
    checkAliases(className, type, aliases);
    eventSlot.update(holder, () => ({ type, schemaVersion, aliases: [...aliases], ...(schema && { schema }) }));
  };
}

/** What a column of whole numbers holds in every database. */
const highestVersion = 2 ** 31 - 1;

/** The most bytes that every store keeps of a name. */
const longestName = 700;

/** @throws {@link DecoratorError} unless every store keeps `name`. */
function checkStoredName(name: unknown): void {
  checkName('@Event', name);
  const shown = name.length > 40 ? `${JSON.stringify(name.slice(0, 40))}…` : JSON.stringify(name);
  const length = Buffer.byteLength(name);
  if (length > longestName)
    throw new DecoratorError('@Event', 'its name', `${shown} has ${length} bytes`, `Give a name of at most ${longestName} bytes`);
  if (!/[\0\p{Surrogate}]/u.test(name)) return;
  const problem = `${shown} holds NUL or half a surrogate pair, which no database keeps`;
  throw new DecoratorError('@Event', 'its name', problem, 'Give a name without');
}

function checkAliases(place: string, type: string, aliases: unknown): void {
  if (!Array.isArray(aliases))
    throw new DecoratorError('@Event', place, `its aliases are ${nameOf(aliases)}`, 'Give an array of names');
  for (const [index, alias] of aliases.entries()) {
    checkStoredName(alias);
    if (alias === type || aliases.indexOf(alias) < index)
      throw new DecoratorError('@Event', place, `its alias "${alias}" is a name that it has already`, 'Remove the alias');
  }
}
