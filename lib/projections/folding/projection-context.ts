import type { Class } from '../../events/event-class';
import type { EventContext, EventPart, Position, RecordedEvent } from '../../events/recorded-event';
import { resolved, type Services } from '../services';

/** What a projection's handler gets beside the event. */
export interface ProjectionContext<Manager = unknown> extends EventContext {
  /**
   * What writes in the transaction in which the projection's state and checkpoint are kept: for a TypeORM store the
   * `EntityManager`. Who uses it runs its events in one transaction, one after the other. Undefined with a store in memory.
   */
  readonly manager: Manager;
  /** Removes the instance once the handler has ended. A later event that belongs to it makes a new one. */
  delete(): void;
  /** Has the event make no instance: one that is not there yet is not made on its account. */
  ignore(): void;
  /**
   * Finds a service, as `EventSourcing.open({ resolve })` does: a rate table, say. It is to answer the same whenever the events
   * are folded anew.
   *
   * @throws {@link InvalidArgumentError} where `open` was given no `resolve`.
   */
  resolve<T>(token: Class<T>): T;
  resolve<T = unknown>(token: unknown): T;
}

/** Thrown at a handler that asked for the manager where there was no transaction yet. It is no error: it runs again in one. */
export class ManagerWanted {}

/** Where the manager of handlers comes from. */
export interface ManagerSource {
  /** @throws {@link ManagerWanted} where no transaction is open yet. */
  readonly manager: unknown;
}

/** The context of one event for one instance. */
export class HandlerContext implements ProjectionContext {
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly stream: string;
  readonly version: number;
  readonly position: Position;
  readonly metadata: RecordedEvent['metadata'];
  readonly time: string;
  readonly tags: readonly string[];
  declare readonly part?: EventPart;
  isDeleted = false;
  isIgnored = false;
  readonly #source: ManagerSource;
  readonly #services: Services;

  constructor(event: RecordedEvent, source: ManagerSource, services: Services) {
    this.id = event.id;
    this.type = event.type;
    this.schemaVersion = event.schemaVersion;
    this.stream = event.stream;
    this.version = event.version;
    this.position = event.position;
    this.metadata = event.metadata;
    this.time = event.time;
    this.tags = event.tags;
    if (event.part !== undefined) this.part = event.part;
    this.#source = source;
    this.#services = services;
  }

  get manager(): unknown {
    return this.#source.manager;
  }

  delete(): void {
    this.isDeleted = true;
  }

  ignore(): void {
    this.isIgnored = true;
  }

  resolve<T>(token: unknown): T {
    return resolved(this.#services, token) as T;
  }
}
