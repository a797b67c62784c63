import { type Class, isClass, nameOf } from '../events/event-class';
import { DecoratorError } from './decorator-error';

/** Where a decorator of a member records, and the member's name. */
export interface DecoratedMember {
  readonly holder: object;
  readonly key: string | symbol;
  readonly place: string;
  /** `'method'`, `'property'`, or what else it is. */
  readonly kind: string;
  /** The method, or undefined for anything else. */
  readonly method: ((...args: never[]) => unknown) | undefined;
  readonly isStatic: boolean;
}

/**
 * Reads the arguments that TypeScript's (`target, key, descriptor`) and standard (`value, context`) decorators get.
 *
 * @throws {@link DecoratorError} when the member is static, `#private`, or of another kind than `kind`.
 */
export function decoratedMember(decorator: string, kind: 'method' | 'property', args: readonly unknown[]): DecoratedMember {
  const member = decoratedAnywhere(decorator, kind, args);
  if (member.isStatic) throw staticMember(decorator, member.place);
  return member;
}

/** Reads them as {@link decoratedMember} does, of a static member too. */
export function decoratedAnywhere(decorator: string, kind: 'method' | 'property', args: readonly unknown[]): DecoratedMember {
  const member = isStandardContext(args[1]) ? standardMember(decorator, args[0], args[1]) : legacyMember(decorator, args);
  if (member.kind !== kind) {
    throw new DecoratorError(decorator, member.place, `this is no ${kind}`, `Put it on a ${kind} of the class`);
  }
  return member;
}

/** Where a class decorator records, and the class's name. */
export interface DecoratedClass {
  readonly holder: object;
  readonly name: string;
}

/** @throws {@link DecoratorError} when what is decorated is no class. */
export function decoratedClass(decorator: string, args: readonly unknown[]): DecoratedClass {
  const [target, context] = args;
  const isMember = isStandardContext(context) ? context.kind !== 'class' : args.length > 1;
  if (isMember || !isClass(target))
    throw new DecoratorError(decorator, nameOf(target), 'this is no class', 'Put it before a class');
  const name = isStandardContext(context) ? String(context.name ?? target.name) : target.name;
  return { holder: target, name };
}

interface StandardContext {
  readonly kind: string;
  readonly name?: string | symbol;
  readonly static?: boolean;
  readonly private?: boolean;
  readonly metadata?: object;
}

function isStandardContext(value: unknown): value is StandardContext {
  return typeof value === 'object' && value !== null && typeof (value as StandardContext).kind === 'string';
}

function standardMember(decorator: string, value: unknown, context: StandardContext): DecoratedMember {
  const key = context.name ?? '';
  const place = String(key);
  if (context.private === true) {
    throw new DecoratorError(decorator, place, 'a #private member cannot be reached from outside', 'Make it protected');
  }
  if (context.metadata === undefined) {
    throw new DecoratorError(
      decorator,
      place,
      'the compiler gave no decorator metadata',
      'Import eventfold before the class, or use experimentalDecorators',
    );
  }
  return {
    holder: context.metadata,
    key,
    place,
    kind: context.kind === 'field' ? 'property' : context.kind,
    method: context.kind === 'method' ? (value as DecoratedMember['method']) : undefined,
    isStatic: context.static === true,
  };
}

function legacyMember(decorator: string, args: readonly unknown[]): DecoratedMember {
  const [target, key, descriptor] = args as [unknown, string | symbol | undefined, PropertyDescriptor | undefined];
  const place = `${typeof target === 'function' ? nameOf(target) : nameOf((target as object | undefined)?.constructor)}.${String(key)}`;
  const isStatic = isClass(target);
  if (key === undefined || (!isStatic && (typeof target !== 'object' || target === null))) throw misplaced(decorator, target);
  const value: unknown = descriptor?.value;
  const isAccessor = descriptor?.get !== undefined || descriptor?.set !== undefined;
  return {
    holder: isStatic ? target : (target as object).constructor,
    key,
    place,
    isStatic,
    kind: typeof value === 'function' ? 'method' : isAccessor ? 'accessor' : 'property',
    method: typeof value === 'function' ? (value as DecoratedMember['method']) : undefined,
  };
}

function staticMember(decorator: string, place: string): DecoratorError {
  return new DecoratorError(decorator, place, 'a static member belongs to no instance', 'Put it on an instance member');
}

function misplaced(decorator: string, target: unknown): DecoratorError {
  return new DecoratorError(decorator, nameOf(target), 'this is no member of a class', 'Put it before a method or property');
}

/** @throws {@link DecoratorError} when `options` is no object or has a key that is not in `known`. */
export function checkOptions(decorator: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new DecoratorError(
      decorator,
      'its options',
      `expected an object, not ${nameOf(options)}`,
      `Known options: ${known.join(', ')}`,
    );
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw new DecoratorError(decorator, 'its options', `"${key}" is unknown`, `Known options: ${known.join(', ')}`);
  }
}

/** @throws {@link DecoratorError} unless `name` is text of at least one character, without ":" and line breaks. */
export function checkName(decorator: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && /^[^:\s][^:\r\n]*$/.test(name)) return;
  throw new DecoratorError(decorator, 'its name', `${nameOf(name)} is no name`, 'Give text without ":" and line breaks');
}

/** @throws {@link DecoratorError} unless `event` is a class. */
export function checkEventClass(decorator: string, place: string, event: unknown): asserts event is Class {
  if (isClass(event)) return;
  throw new DecoratorError(
    decorator,
    place,
    `${nameOf(event)} is no event class`,
    event === undefined ? 'Break the circular import between the two files' : 'Name the class that @Event decorates',
  );
}
