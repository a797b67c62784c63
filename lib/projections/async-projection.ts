import { setTimeout as delay } from 'node:timers/promises';
import { decode } from '../events/decode';
import type { Position, RecordedEvent } from '../events/recorded-event';
import type { EventStore } from '../store/event-store';
import { Documents, type DocumentsEnvironment } from './documents';
import type { ProjectionClass, Step, Target } from './projection-class';
import type { Router } from './router';

/** How many events may wait for an async handler before the projection reads the store by itself instead. */
const backlogLimit = 1_000;

/** The pause after the store failed to be read. */
const retryDelayMs = 200;

/**
 * Folds events into documents in the background. At the head it takes what the router hands on; behind it, after
 * a late start or a slow handler, it reads the store at its own pace.
 */
export class AsyncProjection {
  readonly documents: Documents;
  private isLive: boolean;
  private isClosed = false;
  private checkpoint: Position | undefined;
  /** Events up to this one come a second time from the router, and are passed over. */
  private skipThrough: Position | undefined;
  private backlog: RecordedEvent[] | undefined;

  constructor(
    readonly projection: ProjectionClass,
    private readonly environment: DocumentsEnvironment & { readonly router: Router; failed(error: unknown): void },
    start: 'with the router' | 'by itself',
  ) {
    this.documents = new Documents(projection, environment);
    this.isLive = start === 'with the router';
    for (const type of projection.types) this.addRoute(type);
  }

  /** The position up to which every event has been applied or parked. */
  get position(): Position | undefined {
    return this.isLive && this.backlog === undefined ? this.environment.router.position : this.checkpoint;
  }

  hasReached(target: Position): boolean {
    const { position } = this;
    return this.documents.retrying === 0 && position !== undefined && this.environment.store.compare(position, target) >= 0;
  }

  /** Reads the store until it is where the router is, then takes events from there. */
  async catchUp(): Promise<void> {
    const { store, router } = this.environment;
    while (!this.isClosed) {
      if (!(await this.readOn(store))) continue;
      if (this.checkpoint === router.position || this.isAhead()) break;
    }
    if (this.isAhead()) this.skipThrough = this.checkpoint;
    this.isLive = true;
    this.environment.progressed();
  }

  close(): void {
    this.isClosed = true;
    this.documents.close();
  }

  private isAhead(): boolean {
    const { store, router } = this.environment;
    if (this.checkpoint === undefined) return false;
    return router.position === undefined || store.compare(this.checkpoint, router.position) > 0;
  }

  /** @returns false after a failure of the store, when it is to be tried again. */
  private async readOn(store: EventStore): Promise<boolean> {
    try {
      await this.readChunks(store);
      return true;
    } catch (error) {
      if (this.isClosed) return true;
      this.environment.failed(error);
      await delay(retryDelayMs, undefined, { ref: false });
      return false;
    }
  }

  private async readChunks(store: EventStore): Promise<void> {
    const { checkpoint } = this;
    for await (const chunk of store.read(checkpoint === undefined ? {} : { after: checkpoint }).chunks()) {
      for (const event of chunk) {
        if (this.isClosed) return;
        const [step] = this.projection.stepsFor(event.type);
        const pending = step && this.applyStored(event, step);
        if (pending !== undefined) await pending;
        this.checkpoint = event.position;
      }
      this.environment.progressed();
    }
  }

  private addRoute(type: string): void {
    const steps = this.projection.stepsFor(type);
    const property = this.projection.soleProperty(type);
    const { documents } = this;
    const applySole = (event: RecordedEvent): PromiseLike<void> | undefined => {
      const value = (event.data as Record<string, unknown>)[property as string];
      if (typeof value !== 'string' || value === '') return this.apply(event);
      const instance = documents.instances.get(value);
      if (instance === undefined) return documents.applyTo(this.projection.identityOf(value), steps, event);
      return documents.apply(instance, steps, event);
    };
    const apply = property === undefined ? (event: RecordedEvent) => this.apply(event) : applySole;
    this.environment.router.add(type, (steps[0] as Step).model.event.class, {
      take: (event) => this.receive(event, apply),
      takeUnreadable: (event, error) => this.documents.keepUnroutable(event, error),
    });
  }

  private receive(event: RecordedEvent, apply: (event: RecordedEvent) => PromiseLike<void> | undefined): void {
    if (!this.isLive || (this.skipThrough !== undefined && this.isRepeated(event))) return;
    if (this.backlog !== undefined) {
      this.enqueue(event);
      return;
    }
    const before = this.environment.router.position;
    const pending = apply(event);
    if (pending !== undefined) this.workOff(pending, before, event);
  }

  private isRepeated(event: RecordedEvent): boolean {
    if (this.environment.store.compare(event.position, this.skipThrough as Position) <= 0) return true;
    this.skipThrough = undefined;
    return false;
  }

  private enqueue(event: RecordedEvent): void {
    this.backlog?.push(event);
    if ((this.backlog?.length ?? 0) > backlogLimit) this.isLive = false;
  }

  private workOff(first: PromiseLike<void>, before: Position | undefined, event: RecordedEvent): void {
    this.backlog = [];
    this.checkpoint = before;
    this.work(first, event).catch((error: unknown) => this.environment.failed(error));
  }

  private async work(first: PromiseLike<void>, event: RecordedEvent): Promise<void> {
    await first;
    this.checkpoint = event.position;
    for (let next = this.backlog?.shift(); next !== undefined && this.isLive && !this.isClosed; next = this.backlog?.shift()) {
      const pending = this.apply(next);
      if (pending !== undefined) await pending;
      this.checkpoint = next.position;
    }
    this.backlog = undefined;
    if (this.isLive) this.environment.progressed();
    else await this.catchUp();
  }

  private applyStored(event: RecordedEvent, { model }: Step): PromiseLike<void> | undefined {
    try {
      return this.apply(decode(event, model.event.class));
    } catch (error) {
      this.documents.keepUnroutable(event, error);
      return undefined;
    }
  }

  /** Applies the event to each instance that it belongs to. */
  private apply(event: RecordedEvent): PromiseLike<void> | undefined {
    let targets: readonly Target[];
    try {
      targets = this.projection.targetsOf(event);
    } catch (error) {
      this.documents.keepUnroutable(event, error);
      return undefined;
    }
    let running: PromiseLike<void>[] | undefined;
    for (const { identity, steps } of targets) {
      const pending = this.documents.applyTo(identity, steps, event);
      if (pending !== undefined) running = [...(running ?? []), pending];
    }
    return running && Promise.all(running).then(() => undefined);
  }
}
