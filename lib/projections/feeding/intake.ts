import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import type { ProjectionClass } from '../folding/projection-class';
import type { Feed, Listener } from './feed';
import type { Route } from './router';

/** What to fold next. */
export interface Chunk {
  readonly events: readonly RecordedEvent[];
  /** Once they are folded, everything up to here is. */
  readonly upTo: Position | undefined;
  /** Another one after the intake was rewound. */
  readonly epoch: number;
}

/** So many events may wait at the head; with more, the projection reads the store at its own pace. */
const mostWaiting = 10_000;

/**
 * The events of one projection, in order: read from the store while it is behind, taken from the feed at the head. What was
 * handed out comes again until it is done with.
 */
export class Intake implements Listener {
  private position: Position | undefined;
  private waiting: RecordedEvent[] = [];
  private first = 0;
  private epoch = 0;
  /** Everything up to here is done with or waits. */
  private known: Position | undefined;
  private isLive = false;
  private reading: Reading | undefined;
  private readonly routes = new Map<string, Route>();

  /**
   * @param feed Undefined for one that only reads what is stored, and then has nothing new until it is asked again.
   * @param wake Called when there may be something to take.
   */
  constructor(
    private readonly projection: ProjectionClass,
    private readonly store: EventStore,
    private readonly feed: Feed | undefined,
    private readonly wake: () => void,
  ) {}

  /** Whether everything is taken from the feed. */
  get isAtHead(): boolean {
    return this.isLive;
  }

  /** Begins after a position. */
  rewind(after: Position | undefined): void {
    this.leave();
    this.position = after;
    this.known = after;
  }

  /** Ends taking events from the feed. */
  leave(): void {
    this.epoch += 1;
    this.feed?.leave(this);
    for (const [type, route] of this.routes) this.feed?.router.remove(type, route);
    this.routes.clear();
    this.isLive = false;
    this.waiting = [];
    this.first = 0;
    void this.reading?.end();
    this.reading = undefined;
  }

  /** @returns up to `size` events, or undefined when there is nothing new. */
  async next(size: number): Promise<Chunk | undefined> {
    while (!this.isLive && this.left < size) if (!(await this.readOn())) break;
    const events = this.waiting.slice(this.first, this.first + size);
    const isAll = events.length === this.left;
    const upTo = isAll ? this.known : (events.at(-1) as RecordedEvent).position;
    return events.length === 0 && this.isDone(upTo) ? undefined : { events, upTo, epoch: this.epoch };
  }

  /** Is done with what was handed out. */
  done({ events, upTo, epoch }: Chunk): void {
    if (epoch !== this.epoch) {
      this.rewind(upTo);
      return;
    }
    this.first += events.length;
    this.position = upTo;
    if (this.first < this.waiting.length && this.first < mostWaiting) return;
    this.waiting = this.waiting.slice(this.first);
    this.first = 0;
  }

  reached(position: Position): void {
    if (!this.isLive) return;
    if (this.known === undefined || this.store.compare(position, this.known) > 0) this.known = position;
    if (this.left > mostWaiting) this.rewind(this.position);
    this.wake();
  }

  private get left(): number {
    return this.waiting.length - this.first;
  }

  private isDone(upTo: Position | undefined): boolean {
    if (upTo === undefined || upTo === this.position) return true;
    return this.position !== undefined && this.store.compare(upTo, this.position) <= 0;
  }

  /** @returns false when there is no more to read now. */
  private async readOn(): Promise<boolean> {
    this.reading ??= await Reading.begin(this.store, this.projection.types, this.known);
    const { reading } = this;
    const chunk = await reading.next().catch((error: unknown) => {
      if (this.reading === reading) this.reading = undefined;
      throw error;
    });
    // Rewound meanwhile.
    if (this.reading !== reading) return true;
    if (chunk !== undefined) {
      // Not by spreading: a chunk may hold more than a call takes arguments.
      for (const event of chunk) this.waiting.push(event);
      this.known = chunk.at(-1)?.position ?? this.known;
      return true;
    }
    this.reading = undefined;
    const { head } = reading;
    const isFurther = head !== undefined && (this.known === undefined || this.store.compare(head, this.known) > 0);
    if (isFurther) this.known = head;
    if (isFurther) return true;
    const { feed } = this;
    if (feed === undefined) return false;
    if (!feed.join(this, this.known)) return true;
    this.isLive = true;
    this.addRoutes(feed, this.known);
    return false;
  }

  private addRoutes(feed: Feed, after: Position | undefined): void {
    let isPast = after === undefined;
    for (const type of this.projection.types) {
      const take = (event: RecordedEvent): void => {
        isPast ||= this.store.compare(event.position, after as Position) > 0;
        if (isPast) this.waiting.push(event);
      };
      const route = { take, takeUnreadable: take };
      this.routes.set(type, route);
      feed.router.add(type, this.projection.upcasting, route);
    }
  }
}

/** One reading of what is stored, the next chunk of which is on its way while one is worked on. */
class Reading {
  private coming: Promise<IteratorResult<readonly RecordedEvent[]>>;

  private constructor(
    /** The newest position when the reading began. */
    readonly head: Position | undefined,
    private readonly chunks: AsyncIterator<readonly RecordedEvent[]>,
  ) {
    this.coming = this.ask();
  }

  static async begin(store: EventStore, types: readonly string[], after: Position | undefined): Promise<Reading> {
    const head = await store.head();
    const query = { criteria: [{ types }], ...(after !== undefined && { after }) };
    return new Reading(head, store.read(query).chunks()[Symbol.asyncIterator]());
  }

  async next(): Promise<readonly RecordedEvent[] | undefined> {
    const { done, value } = await this.coming;
    if (done) return undefined;
    this.coming = this.ask();
    return value;
  }

  async end(): Promise<void> {
    await this.chunks.return?.()?.catch(() => undefined);
  }

  private ask(): Promise<IteratorResult<readonly RecordedEvent[]>> {
    const coming = this.chunks.next();
    coming.catch(() => undefined);
    return coming;
  }
}
