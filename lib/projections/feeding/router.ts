import { Subject, type Subscription } from 'rxjs';
import type { Position, RecordedEvent } from '../../events/recorded-event';
import type { Upcasting } from '../../events/upcasting';

/** Takes the events of one type. It must not throw. */
export interface Route {
  /** Takes an event: as an instance of its class, or as it is stored, where upcasters have to make one of it. */
  take(event: RecordedEvent): void;
  /** Called instead when the stored event cannot be made an instance of its class. */
  takeUnreadable(event: RecordedEvent, error: unknown): void;
}

interface Routes {
  readonly upcasting: Upcasting;
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

  add(type: string, upcasting: Upcasting, route: Route): void {
    const routes = this.routes.get(type) ?? { upcasting, list: [] };
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

  private deliver(event: RecordedEvent, { upcasting, list }: Routes): void {
    let decoded: RecordedEvent;
    try {
      decoded = upcasting.asStored(event) ?? event;
    } catch (error) {
      for (const route of list) route.takeUnreadable(event, error);
      return;
    }
    for (const route of list) route.take(decoded);
  }
}
