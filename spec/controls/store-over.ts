import type { EventStore } from 'eventfold';

/** @returns a store that does what `other` does, but for the given members. */
export function storeOver<M extends object>(other: EventStore, members: M): EventStore & M {
  return new Proxy(other, {
    get: (target, key) => {
      if (key in members) return Reflect.get(members, key) as unknown;
      const member: unknown = Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  }) as EventStore & M;
}
