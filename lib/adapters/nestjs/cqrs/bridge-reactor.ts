import type { Class } from '../../../events/event-class';
import { handlerSlot, projectionSlot, type RetryPolicy } from '../../../metadata/slots';

/** What the bridge hands recorded events to. */
export interface BridgeReactorOptions {
  readonly name: string;
  readonly events: readonly Class[];
  readonly from: 'now' | 'start';
  readonly retry: RetryPolicy;
}

/** @returns a class as `@Reactor` and `@Handles` would have it, each of whose events is handed to `deliver`. */
export function bridgeReactor({ name, events, from, retry }: BridgeReactorOptions, deliver: (event: object) => unknown): Class {
  const target = class {
    deliver(event: object): unknown {
      return deliver(event);
    }
  };
  Object.defineProperty(target, 'name', { value: name });
  const policy = { name, mode: 'async', version: 1, isCustom: true, reset: undefined, retry, maxParked: 1_000 } as const;
  projectionSlot.update(target, () => ({ ...policy, reactor: { from } }));
  handlerSlot.update(target, () => events.map((event) => ({ event, method: 'deliver', ids: {} })));
  return target;
}
