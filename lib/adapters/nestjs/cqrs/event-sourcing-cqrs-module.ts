import { type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { EventSourcing } from '../../../event-sourcing';
import type { Class } from '../../../events/event-class';
import type { CaughtUpOptions } from '../../../projections/reading/caught-up-options';
import { type ListedClasses, listedClassesToken } from '../listed-classes';
import { injectOpened, openedInstance } from '../opened-instance';
import { defaultName } from '../tokens';
import { CqrsBridge } from './cqrs-bridge';
import type { CqrsBridgeOptions } from './cqrs-bridge-options';

const nameToken = Symbol('EventSourcingCqrsModule name');
const openedHere = Symbol('EventSourcingCqrsModule EventSourcing');

/**
 * Hands recorded events, once they are stored, to the `@EventsHandler`s of the application, and publishes them on its `EventBus` for
 * subscribers and sagas. Import it beside `CqrsModule` and `EventSourcingModule`.
 *
 * Each handler gets the events in the order of their streams, at least once, with a place of its own in the log: what it throws is
 * tried again, then parked, and told by `es.projections.errors()`. Recorded are events whose class has `@Event()` too; all others
 * take the way that they took before.
 *
 * @example
 * ```ts
 * @Module({ imports: [CqrsModule.forRoot(), EventSourcingModule.forRoot(), EventSourcingCqrsModule.forRoot()] })
 * export class AppModule {}
 * ```
 */
@Module({})
export class EventSourcingCqrsModule implements OnModuleInit {
  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly modules: ModulesContainer,
    @Inject(nameToken) private readonly name: string,
    @Inject(openedHere) private readonly es: EventSourcing,
  ) {}

  /** Bridges the events of one instance. */
  static forRoot(options: CqrsBridgeOptions = {}): DynamicModule {
    const { name = defaultName } = options;
    const classes = (listed: readonly Class[], modules: ModulesContainer): readonly Class[] =>
      CqrsBridge.of(listed, modules, options).reactors;
    const listed: ListedClasses = { name, classes };
    return {
      module: EventSourcingCqrsModule,
      providers: [
        { provide: listedClassesToken, useValue: listed },
        { provide: nameToken, useValue: name },
        { provide: openedHere, useFactory: (es?: EventSourcing) => openedInstance(es, name), inject: [injectOpened(name)] },
      ],
    };
  }

  onModuleInit(): void {
    CqrsBridge.find(this.modules, this.name)?.attach(this.moduleRef, () => this.es.projections.stop());
  }

  /**
   * Waits until every handler, and the `EventBus`, have been handed all events up to a position: for tests. A parked event does not
   * hold it up.
   *
   * @throws {@link CaughtUpTimeoutError} when it takes longer than `timeoutMs`.
   */
  async caughtUp(options?: CaughtUpOptions): Promise<void> {
    await CqrsBridge.find(this.modules, this.name)?.caughtUp(this.es, options);
  }
}
