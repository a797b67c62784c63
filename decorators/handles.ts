import { type Class, nameOf } from '../lib/events/event-class';
import type { EventContext } from '../lib/events/recorded-event';
import { checkEventClass, decoratedMember } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import { handlerSlot, type IdSource } from '../lib/metadata/slots';

/** For each id of the class: the event property that holds it, or a function of the event. An array fans out. */
export type IdMap<E> = Readonly<Record<string, (keyof E & string) | ((event: E) => unknown)>>;

type AnyMethod = (...args: never[]) => unknown;
type Item<V> = V extends readonly (infer Element)[] ? Element : V;
type ValueOf<E, Source> = Source extends keyof E ? Item<E[Source]> : Source extends (event: never) => infer R ? Item<R> : never;
type Related<A, B> = [A] extends [B] ? true : [B] extends [A] ? true : false;
type WrongIds<This, E, M> = {
  [K in keyof M]: K extends keyof This ? (Related<This[K], ValueOf<E, M[K]>> extends true ? never : K) : K;
}[keyof M];

/** `unknown` when the id map fits; otherwise a type that nothing has, whose key is the compiler's message. */
export type CheckIds<This, E, M> = [WrongIds<This, E, M>] extends [never]
  ? unknown
  : { 'these ids are no public properties of the class, or of another type than the event has': WrongIds<This, E, M> };

/** `unknown` when the method can handle the event; otherwise a type that nothing has. */
export type CheckHandler<E, H extends AnyMethod> =
  Parameters<H> extends readonly []
    ? unknown
    : Required<Parameters<H>> extends readonly [infer First, ...infer Rest]
      ? [E] extends [First]
        ? CheckContext<Rest>
        : { 'the parameter of the handler must be the event of its decorator': E }
      : [E, EventContext] extends Parameters<H>
        ? unknown
        : { 'the parameter of the handler must be the event of its decorator': E };

/** The same for what follows the event. A context may be narrower than the framework's, for metadata of one's own. */
type CheckContext<Rest extends readonly unknown[]> = Rest extends readonly []
  ? unknown
  : number extends Rest['length']
    ? unknown
    : Rest extends readonly [infer Second]
      ? Related<EventContext, Second> extends true
        ? unknown
        : { 'the second parameter of a handler is the context of the event': EventContext }
      : { 'a handler takes (event, context) and no more': Rest };

/** A method decorator of TypeScript or of the standard that fits handlers of `E` only. */
export interface HandlesDecorator<E, M> {
  <This extends object, H extends AnyMethod>(
    target: This & CheckIds<This, E, M>,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<H> & CheckHandler<E, H>,
  ): void;
  <This extends object, H extends AnyMethod>(
    value: H & CheckHandler<E, H>,
    context: ClassMethodDecoratorContext<This> & CheckIds<This, E, M>,
  ): void;
}

/**
 * Makes a method the handler of an event: called as `(event, context)`, for each event whose ids are the instance's.
 *
 * @param event The class that `@Event` decorates.
 * @param ids Which event property holds which id of the class; an id left out is the property of the same name. A
 * function finds it in any other way, and must give the same answer for the same event for ever. An array, as the
 * property or from the function, hands the event to each of those instances.
 * @throws {@link DecoratorError} on a static or `#private` method, or one with more than two parameters.
 * @example
 * ```ts
 * @Handles(Transferred, { accountId: 'to' })
 * protected received(event: Transferred) { this.balance += event.amount; }
 * ```
 */
export function Handles<E extends object, const M extends IdMap<NoInfer<E>> = Record<never, never>>(
  event: Class<E>,
  ids?: M & IdMap<E>,
): HandlesDecorator<E, M> {
  return (...args: readonly unknown[]): void => {
    const { holder, key, place, method } = decoratedMember('@Handles', 'method', args);
    checkEventClass('@Handles', place, event);
    checkMap(place, ids);
    if ((method?.length ?? 0) > 2) {
      throw new DecoratorError('@Handles', place, `it takes ${method?.length} parameters`, 'A handler takes (event, context)');
    }
    const map = { ...ids } as Record<string, IdSource>;
    handlerSlot.update(holder, (handlers = []) => [...handlers, { event, method: key, ids: map }]);
  };
}

function checkMap(place: string, ids: unknown): void {
  if (ids === undefined) return;
  if (typeof ids !== 'object' || ids === null || Array.isArray(ids)) {
    throw new DecoratorError('@Handles', place, `its id map is ${nameOf(ids)}`, "Give an object such as { accountId: 'from' }");
  }
  for (const [id, source] of Object.entries(ids)) {
    if ((typeof source === 'string' && source !== '') || typeof source === 'function') continue;
    throw new DecoratorError(
      '@Handles',
      place,
      `the source of id "${id}" is neither a property name nor a function`,
      'Name the event property',
    );
  }
}
