import { Observable, Subject, type Subscription } from 'rxjs';

/** Where what is heard comes from. */
interface HearingSources<T> {
  /** The stores of this process on the same tables and connections. */
  readonly told: Observable<T>;
  /** Listens to other processes until the returned function is called; undefined where they cannot tell. */
  readonly listen: (() => () => void) | undefined;
  /** Somebody listens, after nobody did. */
  readonly begun: () => void;
}

/** Passes on what is heard, and has its sources work only while somebody listens. */
export class Hearing<T> {
  private readonly heard = new Subject<T>();
  private listeners = 0;
  private near: Subscription | undefined;
  private stopListening: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly sources: HearingSources<T>) {}

  get isOver(): boolean {
    return this.isClosed;
  }

  get hasListeners(): boolean {
    return this.listeners > 0 && !this.isClosed;
  }

  observe(): Observable<T> {
    return new Observable((subscriber) => {
      subscriber.add(this.heard.subscribe(subscriber));
      if (this.isClosed) return undefined;
      this.listeners += 1;
      if (this.listeners === 1) this.begin();
      return () => {
        this.listeners -= 1;
        if (this.listeners === 0) this.stop();
      };
    });
  }

  next(value: T): void {
    if (this.hasListeners) this.heard.next(value);
  }

  /** Does `work` after a pause, instead of what was to be done before. It keeps the process going: who listens is not done. */
  later(pauseMs: number, work: () => void): void {
    clearTimeout(this.timer);
    if (this.hasListeners) this.timer = setTimeout(work, pauseMs);
  }

  close(): void {
    this.isClosed = true;
    this.stop();
    this.heard.complete();
  }

  private begin(): void {
    const { told, listen, begun } = this.sources;
    this.near = told.subscribe((value) => this.heard.next(value));
    this.stopListening = listen?.();
    begun();
  }

  private stop(): void {
    this.near?.unsubscribe();
    this.near = undefined;
    this.stopListening?.();
    this.stopListening = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
