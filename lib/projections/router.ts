import { Subject, type Subscription } from 'rxjs';
import { decode } from '../events/decode';
import type { Class } from '../events/event-class';
import type { Position, RecordedEvent } from '../events/recorded-event';

/** Takes the events of one type. It must not throw. */
export interface Route {
  take(event: RecordedEvent): void;
  /** Called instead when the stored event cannot be made an instance of its class. */
  takeUnreadable(event: RecordedEvent, error: unknown): void;
}

interface Routes {
  readonly eventClass: Class;
  readonly list: Route[];
}

/** Hands each recorded event, in order, to the routes of its type. An event without a route passes. */
export class Router {
  /** The position of the last event that was handed on. */
  position: Position | undefined;
  private readonly events = new Subject<RecordedEvent>();
  private readonly routes = new Map<string, Routes>();
  private readonly subscription: Subscription;

  constructor() {
    this.subscription = this.events.subscribe((event) => this.dispatch(event));
  }

  /** Hands on one event. */
  next(event: RecordedEvent): void {
    this.events.next(event);
  }

  add(type: string, eventClass: Class, route: Route): void {
    const routes = this.routes.get(type) ?? { eventClass, list: [] };
    routes.list.push(route);
    this.routes.set(type, routes);
  }

  remove(type: string, route: Route): void {
    const list = this.routes.get(type)?.list ?? [];
    const index = list.indexOf(route);
    if (index >= 0) list.splice(index, 1);
  }

  close(): void {
    this.subscription.unsubscribe();
    this.events.complete();
  }

  private dispatch(event: RecordedEvent): void {
    const routes = this.routes.get(event.type);
    if (routes !== undefined && routes.list.length > 0) this.deliver(event, routes);
    this.position = event.position;
  }

  private deliver(event: RecordedEvent, { eventClass, list }: Routes): void {
    let decoded: RecordedEvent;
    try {
      decoded = decode(event, eventClass);
    } catch (error) {
      for (const route of list) route.takeUnreadable(event, error);
      return;
    }
    for (const route of list) route.take(decoded);
  }
}
