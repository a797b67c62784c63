import { type Class, isClass, nameOf } from '../lib/events/event-class';
import type { EventContext } from '../lib/events/recorded-event';
import type { Dropped, UpcastEvent, Upcaster, UpcastTarget } from '../lib/events/upcaster';
import { checkName, checkOptions, decoratedAnywhere } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import { upcasterSlot } from '../lib/metadata/slots';
import { UpcasterFunction } from '../lib/metadata/upcaster-function';

/** Where an upcaster leads that makes one event of one. */
export interface UpcastsOptions {
  /** The version that it is given: a whole number of 1 or more. */
  readonly from: number;
  /** The version that it makes: a later one, unless it is of another event. */
  readonly to: number;
  /** The event that it makes, where that is another one: by its class, or an old stored name. */
  readonly into?: Class | string;
}

/** Where an upcaster leads that makes several events of one, or none. */
export interface SplitsOptions {
  /** The version that it is given: a whole number of 1 or more. */
  readonly from: number;
  /** Every event that it may make, each with the version that it makes. */
  readonly into: readonly UpcastTarget[];
}

/** Makes one event: the data of the next version, or `dropped(reason)`. */
export type Upcast = (data: never, event: EventContext) => (object & { readonly then?: never }) | Dropped;

/** Makes several events, in order. */
export type Split = (data: never, event: EventContext) => readonly UpcastEvent[] | Dropped;

/** A method decorator of TypeScript or of the standard that fits functions `F` only. */
export interface UpcastsDecorator<F> {
  <H extends F>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<H>): void;
  <H extends F>(value: H, context: ClassMethodDecoratorContext): void;
}

/**
 * Makes a method the way from one version of an event to the next: it gets the plain data as it was stored, frozen, and
 * returns that of the next version. Several lead on from each other. The class, or an instance of it, is listed in
 * `EventSourcing.open({ upcasters: […] })`; the method may be static.
 *
 * It runs whenever such an event is read, and must give the same answer for ever: from the data and the event's context alone.
 * What is stored is never rewritten.
 *
 * @param event The class of the stored event, or its stored name where no class has it any more.
 * @throws {@link DecoratorError} when the options lead nowhere, or this is no method.
 * @example
 * ```ts
 * class OrderUpcasters {
 *   @Upcasts(OrderPlaced, { from: 1, to: 2 })
 *   static currency(data: { orderId: string; total: number }) {
 *     return { ...data, currency: 'EUR' };
 *   }
 * }
 * ```
 */
export function Upcasts(event: Class | string, options: UpcastsOptions): UpcastsDecorator<Upcast>;
export function Upcasts(event: Class | string, options: SplitsOptions): UpcastsDecorator<Split>;
export function Upcasts(event: Class | string, options: UpcastsOptions | SplitsOptions): UpcastsDecorator<never> {
  const way = wayOf('@Upcasts', event, options);
  return (...args: readonly unknown[]): void => {
    const { holder, key, isStatic } = decoratedAnywhere('@Upcasts', 'method', args);
    upcasterSlot.update(holder, (records = []) => [...records, { ...way, method: key, isStatic }]);
  };
}

/**
 * Makes a function an upcaster, as {@link Upcasts} does with a method. What it returns is listed in
 * `EventSourcing.open({ upcasters: […] })`.
 *
 * @throws {@link DecoratorError} when the options lead nowhere, or `upcast` is no function.
 * @example
 * ```ts
 * const currency = upcasts(OrderPlaced, { from: 1, to: 2 }, (data: { total: number }) => ({ ...data, currency: 'EUR' }));
 * ```
 */
export function upcasts(event: Class | string, options: UpcastsOptions, upcast: Upcast): UpcasterFunction;
export function upcasts(event: Class | string, options: SplitsOptions, upcast: Split): UpcasterFunction;
export function upcasts(
  event: Class | string,
  options: UpcastsOptions | SplitsOptions,
  upcast: Upcast | Split,
): UpcasterFunction {
  const way = wayOf('upcasts', event, options);
  const place = { class: `upcasts(${typeof event === 'string' ? JSON.stringify(event) : event.name}, from ${way.from})` };
  // A function that is written with the word may stand behind "new" as well.
  if (typeof upcast !== 'function' || /^class\b/.test(Function.prototype.toString.call(upcast)))
    throw new DecoratorError('upcasts', place.class, `${nameOf(upcast)} is no function`, 'Give one of (data, event)');
  return new UpcasterFunction({ ...way, place, run: upcast });
}

type Way = Pick<Upcaster, 'source' | 'from' | 'into' | 'isSplit'>;

function wayOf(decorator: string, source: unknown, options: UpcastsOptions | SplitsOptions): Way {
  checkEvent(decorator, source);
  checkOptions(decorator, options, ['from', 'to', 'into']);
  const { from, to, into } = options as { readonly from: unknown; readonly to?: unknown; readonly into?: unknown };
  checkVersion(decorator, 'from', from);
  if (Array.isArray(into)) {
    if (to !== undefined)
      throw new DecoratorError(decorator, 'its options', '"to" has no meaning for several events', 'Give a version for each');
    return { source, from, into: into.map((target) => targetOf(decorator, target)), isSplit: true };
  }
  checkVersion(decorator, 'to', to);
  if (into !== undefined) checkEvent(decorator, into);
  if (into === undefined && to <= from)
    throw new DecoratorError(decorator, 'its options', `it leads from version ${from} to ${to}`, 'Lead to a later version');
  return { source, from, into: [{ event: into ?? source, version: to }], isSplit: false };
}

function targetOf(decorator: string, target: unknown): UpcastTarget {
  checkOptions(decorator, target, ['event', 'version']);
  const { event, version } = target as { readonly event: unknown; readonly version: unknown };
  checkEvent(decorator, event);
  checkVersion(decorator, 'version', version);
  return { event, version };
}

function checkEvent(decorator: string, event: unknown): asserts event is Class | string {
  if (typeof event === 'string') checkName(decorator, event);
  else if (!isClass(event)) {
    const remedy =
      event === undefined ? 'Break the circular import between the two files' : 'Give an event class or a stored name';
    throw new DecoratorError(decorator, 'its event', `${nameOf(event)} is no event`, remedy);
  }
}

function checkVersion(decorator: string, option: string, version: unknown): asserts version is number {
  if (Number.isSafeInteger(version) && (version as number) >= 1) return;
  const remedy = 'Give a whole number of 1 or more';
  throw new DecoratorError(decorator, 'its options', `"${option}" is ${nameOf(version)}, which is no version`, remedy);
}
