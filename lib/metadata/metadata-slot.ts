import 'reflect-metadata';
import type { Class } from '../events/event-class';

// Standard decorators leave their metadata under this symbol; engines that lack it let a library define it.
(Symbol as { metadata?: symbol }).metadata ??= Symbol.for('Symbol.metadata');
const standardMetadata = (Symbol as unknown as { metadata: symbol }).metadata;

/**
 * One kind of thing that decorators record about a class. What is recorded belongs to that class alone: a subclass
 * never writes into its parent, and {@link MetadataSlot.chain} merges on reading.
 */
export class MetadataSlot<T> {
  private readonly key: symbol;

  constructor(name: string) {
    this.key = Symbol.for(`eventfold:${name}`);
  }

  /** Records `change(what was there)` on `holder`: a class, or the metadata object of a standard decorator. */
  update(holder: object, change: (current: T | undefined) => T): void {
    Reflect.defineMetadata(this.key, change(this.at(holder)), holder);
  }

  /** @returns what was recorded on `target` itself, in either kind of decorator. */
  own(target: Class): T | undefined {
    const standard = Object.hasOwn(target, standardMetadata)
      ? (target as unknown as Record<symbol, unknown>)[standardMetadata]
      : undefined;
    return this.at(target) ?? (typeof standard === 'object' && standard !== null ? this.at(standard) : undefined);
  }

  /** @returns what was recorded along the class chain of `target`, its most distant ancestor first. */
  chain(target: Class): T[] {
    return classChain(target)
      .map((link) => this.own(link))
      .filter((own) => own !== undefined);
  }

  private at(holder: object): T | undefined {
    return Reflect.getOwnMetadata(this.key, holder) as T | undefined;
  }
}

/** @returns `target` and the classes it extends, its most distant ancestor first. */
export function classChain(target: Class): Class[] {
  const chain: Class[] = [];
  for (
    let link: unknown = target;
    typeof link === 'function' && link !== Function.prototype;
    link = Object.getPrototypeOf(link)
  ) {
    chain.unshift(link as Class);
  }
  return chain;
}
