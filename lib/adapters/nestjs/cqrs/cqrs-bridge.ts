import { ContextIdFactory, type ModuleRef, type ModulesContainer } from '@nestjs/core';
import { EventBus, type IEvent, type IEventHandler } from '@nestjs/cqrs';
import { filter, type Observable } from 'rxjs';
import type { EventSourcing } from '../../../event-sourcing';
import type { Class } from '../../../events/event-class';
import type { RetryPolicy } from '../../../metadata/slots';
import type { CaughtUpOptions } from '../../../projections/reading/caught-up-options';
import { ModuleStartError } from '../module-start-error';
import { bridgeReactor } from './bridge-reactor';
import { type CqrsBridgeOptions, checkBridgeOptions } from './cqrs-bridge-options';
import { eventHandlers, eventsOf, type ProvidedHandler } from './event-handlers';

const patiently: RetryPolicy = { attempts: 10, delayMs: 1_000, maxDelayMs: 300_000 };

/** What of the `EventBus` is met before it is used. */
interface BusInside {
  bind(handler: unknown, id: string): void;
  registerSagas(wrappers?: unknown[]): void;
  onModuleDestroy(): unknown;
  readonly subject$: Observable<object>;
}

const bridges = new WeakMap<ModulesContainer, Map<string, CqrsBridge>>();

/**
 * Hands recorded events to the event handlers of an application, and to its `EventBus`. Each handler has a place of its own in the
 * log, and what it throws is tried again, parked, and reported, as for any reactor.
 */
export class CqrsBridge {
  /** Classes that `EventSourcing.open` takes. */
  readonly reactors: readonly Class[];
  private readonly published = new WeakSet<object>();
  private moduleRef: ModuleRef | undefined;
  private goUp = (): void => undefined;
  private readonly isUp = new Promise<void>((resolve) => {
    this.goUp = resolve;
  });

  private constructor(
    private readonly name: string,
    listed: readonly Class[],
    modules: ModulesContainer,
    options: CqrsBridgeOptions,
  ) {
    checkBridgeOptions(options);
    const { from = 'now', events = eventsOf(listed), retry } = options;
    const how = { from, retry: { ...patiently, ...retry } };
    const handlers = eventHandlers(modules).map((handler) =>
      bridgeReactor({ ...how, name: `cqrs.${handler.target.name}`, events: handler.events }, (event) =>
        this.handle(handler.provided, event),
      ),
    );
    const bus = bridgeReactor({ ...how, name: 'cqrs.EventBus', events }, (event) => this.publish(event));
    this.reactors = events.length === 0 ? handlers : [...handlers, bus];
  }

  /** @returns the bridge of that instance in the application that the modules belong to: one, also when it is asked for again. */
  static of(listed: readonly Class[], modules: ModulesContainer, options: CqrsBridgeOptions): CqrsBridge {
    const { name = 'default' } = options;
    const known = bridges.get(modules) ?? new Map<string, CqrsBridge>();
    bridges.set(modules, known);
    const bridge = known.get(name) ?? new CqrsBridge(name, listed, modules, options);
    known.set(name, bridge);
    return bridge;
  }

  static find(modules: ModulesContainer, name: string): CqrsBridge | undefined {
    return bridges.get(modules)?.get(name);
  }

  /**
   * Has the handlers that the bus calls leave out what the bridge hands to them itself, and the bus keep its subscribers until
   * `stop` has ended. To be called before the bus knows its handlers.
   */
  attach(moduleRef: ModuleRef, stop: () => Promise<void>): void {
    this.moduleRef = moduleRef;
    const bus = this.bus as unknown as BusInside;
    const others = bus.subject$.pipe(filter((event) => !this.published.has(event)));
    const view = Object.create(bus, { subject$: { value: others } }) as BusInside;
    const { bind, registerSagas, onModuleDestroy } = bus;
    bus.bind = (handler, id) => bind.call(view, handler, id);
    bus.registerSagas = (wrappers) => {
      registerSagas.call(bus, wrappers);
      this.goUp();
    };
    bus.onModuleDestroy = async () => {
      await stop();
      onModuleDestroy.call(bus);
    };
  }

  /**
   * Waits until every handler, and the bus, have been handed all events up to a position; a parked event does not hold it up.
   *
   * @throws {@link CaughtUpTimeoutError} when it takes longer than `timeoutMs`.
   */
  async caughtUp(es: EventSourcing, options?: CaughtUpOptions): Promise<void> {
    await Promise.all(this.reactors.map((reactor) => es.projections.caughtUp(reactor, options)));
  }

  /** @throws {@link ModuleStartError} where there is none. */
  private get bus(): EventBus {
    try {
      return (this.moduleRef as ModuleRef).get(EventBus, { strict: false });
    } catch {
      throw new ModuleStartError(this.name, 'EventSourcingCqrsModule finds no EventBus. Import CqrsModule.forRoot() as well.');
    }
  }

  private async handle(provided: ProvidedHandler, event: object): Promise<void> {
    await this.isUp;
    const handler = provided.isDependencyTreeStatic() ? provided.instance : await this.made(provided);
    await (handler as IEventHandler).handle(event as IEvent);
  }

  /** A handler that is made for each event. */
  private made({ metatype }: ProvidedHandler): Promise<IEventHandler> {
    return (this.moduleRef as ModuleRef).resolve(metatype as never, ContextIdFactory.create(), { strict: false });
  }

  private async publish(event: object): Promise<void> {
    await this.isUp;
    this.published.add(event);
    await this.bus.publish(event as IEvent);
  }
}
