import { decoratedMember } from '../lib/metadata/decorated';
import { DecoratorError } from '../lib/metadata/decorator-error';
import { projectionIdSlot } from '../lib/metadata/slots';

/** A property decorator of TypeScript or of the standard. */
export type AnyPropertyDecorator = (target: object | undefined, key: string | symbol | ClassFieldDecoratorContext) => void;

/**
 * Marks a property that says *which* instance of an aggregate or projection an event belongs to. A class may have
 * several, and none (then there is one instance).
 *
 * @throws {@link DecoratorError} on a method, a static or `#private` member, or a property named by a symbol.
 */
export function ProjectionId(): AnyPropertyDecorator {
  return (...args) => {
    const { holder, key, place } = decoratedMember('@ProjectionId', 'property', args);
    if (typeof key === 'symbol') {
      throw new DecoratorError('@ProjectionId', place, 'a symbol cannot be stored with an event', 'Name the property by text');
    }
    projectionIdSlot.update(holder, (ids = []) => [...ids, key]);
  };
}
