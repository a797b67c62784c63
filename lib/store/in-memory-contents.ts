import type { Position } from '../events/recorded-event';
import { copyState } from './copy-state';
import type { Changes, InstanceId, QueuedEvent } from './projection-store';

const none: readonly QueuedEvent[] = Object.freeze([]);

/** What a generation holds, each under the key of its instance. */
export interface Contents {
  checkpoint: Position | undefined;
  instance(key: string): object | undefined;
  /** @param state Undefined removes the instance. */
  setInstance(key: string, state: object | undefined): void;
  queue(key: string): readonly QueuedEvent[];
  setQueue(key: string, queue: readonly QueuedEvent[]): void;
  /** @returns the keys of the queues that hold something. */
  queued(): Set<string>;
}

/** What is kept. */
export class KeptContents implements Contents {
  checkpoint: Position | undefined;
  readonly instances = new Map<string, object>();
  private readonly queues = new Map<string, readonly QueuedEvent[]>();

  instance(key: string): object | undefined {
    return this.instances.get(key);
  }

  setInstance(key: string, state: object | undefined): void {
    if (state === undefined) this.instances.delete(key);
    else this.instances.set(key, state);
  }

  queue(key: string): readonly QueuedEvent[] {
    return this.queues.get(key) ?? none;
  }

  setQueue(key: string, queue: readonly QueuedEvent[]): void {
    if (queue.length === 0) this.queues.delete(key);
    else this.queues.set(key, queue);
  }

  queued(): Set<string> {
    return new Set(this.queues.keys());
  }
}

/** What would be kept: changes over other contents, which stay as they are until these are kept. */
export class DraftContents implements Contents {
  private readonly instances = new Map<string, object | undefined>();
  private readonly queues = new Map<string, readonly QueuedEvent[]>();
  private moved: { readonly to: Position | undefined } | undefined;
  private isKept = false;

  constructor(private readonly base: Contents) {}

  get checkpoint(): Position | undefined {
    return this.moved === undefined ? this.base.checkpoint : this.moved.to;
  }

  set checkpoint(to: Position | undefined) {
    if (this.isKept) this.base.checkpoint = to;
    else this.moved = { to };
  }

  instance(key: string): object | undefined {
    return this.instances.has(key) ? this.instances.get(key) : this.base.instance(key);
  }

  setInstance(key: string, state: object | undefined): void {
    if (this.isKept) this.base.setInstance(key, state);
    else this.instances.set(key, state);
  }

  queue(key: string): readonly QueuedEvent[] {
    return this.queues.get(key) ?? this.base.queue(key);
  }

  setQueue(key: string, queue: readonly QueuedEvent[]): void {
    if (this.isKept) this.base.setQueue(key, queue);
    else this.queues.set(key, queue);
  }

  queued(): Set<string> {
    const keys = this.base.queued();
    for (const [key, queue] of this.queues) {
      if (queue.length === 0) keys.delete(key);
      else keys.add(key);
    }
    return keys;
  }

  /** Passes the changes on to what is below, and from then on each at once. */
  keep(): void {
    this.isKept = true;
    for (const [key, state] of this.instances) this.base.setInstance(key, state);
    for (const [key, queue] of this.queues) this.base.setQueue(key, queue);
    if (this.moved !== undefined) this.base.checkpoint = this.moved.to;
    this.instances.clear();
    this.queues.clear();
    this.moved = undefined;
  }
}

/** @returns those of the instances that are there, by key, each a copy. */
export function copiesOf(contents: Contents, ids: readonly InstanceId[]): Map<string, object> {
  const copies = new Map<string, object>();
  for (const { key } of ids) {
    const state = contents.instance(key);
    if (state !== undefined) copies.set(key, copyState(state));
  }
  return copies;
}

/** Keeps copies of instances, and removes others. All or nothing, also when one cannot be copied. */
export function writeInstances(contents: Contents, { saved, removed }: Pick<Changes, 'saved' | 'removed'>): void {
  const copies = saved.map(({ state }) => copyState(state));
  for (const { key } of removed) contents.setInstance(key, undefined);
  for (const [index, { id }] of saved.entries()) contents.setInstance(id.key, copies[index]);
}
