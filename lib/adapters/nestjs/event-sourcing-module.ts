import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import type { AnyAggregate } from '../../aggregates/aggregate-root';
import type { EventSourcing } from '../../event-sourcing';
import { type Class, nameOf } from '../../events/event-class';
import { NotRegisteredError } from '../../metadata/registry';
import { aggregateSlot, projectionSlot } from '../../metadata/slots';
import { EventSourcingCoreModule, optionsToken } from './event-sourcing-core-module';
import type { Begin } from './instance';
import { checkClasses, listedClassesToken } from './listed-classes';
import type { EventSourcingModuleAsyncOptions, EventSourcingModuleOptions, EventSourcingOptionsFactory } from './module-options';
import { ModuleStartError } from './module-start-error';
import { injectOpened, openedInstance } from './opened-instance';
import { defaultName, getAggregatesToken, getEventSourcingToken, getProjectionToken } from './tokens';
import { autoLoad } from './typeorm-packages';

/**
 * Opens an `EventSourcing` for a Nest application: `forRoot` once, and `forFeature` wherever classes belong to. It opens when all
 * modules are known, runs projections once the application is up, and closes before TypeORM does when it is shut down.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [
 *     TypeOrmModule.forRoot({ type: 'postgres', url, autoLoadEntities: true, entities: eventStoreEntities('postgres') }),
 *     EventSourcingModule.forRoot(),
 *     EventSourcingModule.forFeature([Account, AccountBalance]),
 *   ],
 *   controllers: [AccountsController],
 * })
 * export class AppModule {}
 * ```
 */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: a module of Nest is a class
export class EventSourcingModule {
  /** Opens an instance with these options: by default in the DataSource of `@nestjs/typeorm`. */
  static forRoot(options: EventSourcingModuleOptions = {}): DynamicModule {
    return EventSourcingModule.rootOf(options, 'when the application is up');
  }

  /** Opens an instance with options that a factory, a class or a provider gives. */
  static forRootAsync(options: EventSourcingModuleAsyncOptions): DynamicModule {
    const { name = defaultName, classes = [], imports = [], dataSource } = options;
    checkClasses(name, 'forRootAsync', classes);
    const wanted = dataSource ?? name;
    autoLoad(classes, wanted);
    const begin: Begin = 'when the application is up';
    const core = EventSourcingCoreModule.of({
      name,
      imports: [...imports],
      providers: asyncOptions(options),
      dataSource: wanted,
      begin,
    });
    return rootModule(core, { ...options, name }, classes);
  }

  /**
   * Lists classes of an instance: aggregates, projections, and events that none of them handles. They are known when it opens,
   * and `@InjectAggregates` and `@InjectProjection` find theirs in the module that imports this. Entities among them are found by
   * `autoLoadEntities` of the DataSource.
   *
   * @param instance The instance's name, with its DataSource where that has another; the default one unless given.
   */
  static forFeature(
    classes: readonly Class[],
    instance: string | { readonly name?: string; readonly dataSource?: string } = {},
  ): DynamicModule {
    const { name = defaultName, dataSource = name } = typeof instance === 'string' ? { name: instance } : instance;
    checkClasses(name, 'forFeature', classes);
    autoLoad(classes, dataSource);
    const providers = [...providersOf(classes, name), alias(name)];
    return {
      module: EventSourcingModule,
      providers: [...providers, { provide: listedClassesToken, useValue: { name, classes } }],
      exports: providers.map(tokenOf),
    };
  }

  /** @internal */
  static rootOf(options: EventSourcingModuleOptions, begin: Begin): DynamicModule {
    if (typeof options !== 'object' || options === null)
      throw new ModuleStartError(defaultName, `forRoot takes options, an object, not ${nameOf(options)}.`);
    const { isGlobal, ...provided } = options;
    const { name = defaultName, classes = [], store, dataSource = true } = provided;
    checkClasses(name, 'forRoot', classes);
    const wanted = dataSource === true ? name : typeof dataSource === 'string' ? dataSource : undefined;
    if (wanted !== undefined && store === undefined) autoLoad(classes, wanted);
    const core = EventSourcingCoreModule.of({
      name,
      imports: [],
      providers: [{ provide: optionsToken, useValue: provided }],
      dataSource: store === undefined ? wanted : undefined,
      begin,
    });
    return rootModule(core, { ...options, name }, classes);
  }
}

function rootModule(
  core: DynamicModule,
  { name, isGlobal = true }: { readonly name: string; readonly isGlobal?: boolean },
  classes: readonly Class[],
): DynamicModule {
  const providers = [...providersOf(classes, name), alias(name)];
  return {
    module: EventSourcingModule,
    global: isGlobal,
    imports: [core],
    providers: [...providers, { provide: listedClassesToken, useValue: { name, classes } }],
    exports: providers.map(tokenOf),
  };
}

type TokenProvider = Exclude<Provider, Type>;

function tokenOf({ provide }: TokenProvider) {
  return provide;
}

function alias(name: string): TokenProvider {
  return {
    provide: getEventSourcingToken(name),
    useFactory: (es?: EventSourcing) => openedInstance(es, name),
    inject: [injectOpened(name)],
  };
}

/** What `@InjectAggregates` and `@InjectProjection` find. */
function providersOf(classes: readonly Class[], name: string): TokenProvider[] {
  return [...new Set(classes)].flatMap((target): TokenProvider[] => {
    const inject = [injectOpened(name)];
    if (aggregateSlot.own(target) !== undefined) {
      const aggregate = target as Class<AnyAggregate>;
      const useFactory = (es?: EventSourcing) => listedIn(name, () => openedInstance(es, name).repositoryOf(aggregate));
      return [{ provide: getAggregatesToken(aggregate, name), useFactory, inject }];
    }
    if (projectionSlot.own(target) === undefined) return [];
    const useFactory = (es?: EventSourcing) => listedIn(name, () => openedInstance(es, name).projections.of(target));
    return [{ provide: getProjectionToken(target, name), useFactory, inject }];
  });
}

/** @throws {@link ModuleStartError} for a class of a module that was loaded when the instance was open already. */
function listedIn<T>(name: string, find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (!(error instanceof NotRegisteredError)) throw error;
    const remedy = 'A module that is loaded lazily comes too late to list it: give it to forRoot({ classes }) as well';
    throw new ModuleStartError(name, `${error.message} ${remedy}.`, { cause: error });
  }
}

function asyncOptions({
  name = defaultName,
  useFactory,
  inject,
  useClass,
  useExisting,
}: EventSourcingModuleAsyncOptions): Provider[] {
  if ([useFactory, useClass, useExisting].filter((way) => way !== undefined).length > 1)
    throw new ModuleStartError(name, 'forRootAsync takes one of useFactory, useClass and useExisting, not several.');
  if (useFactory !== undefined) return [{ provide: optionsToken, useFactory, inject: inject ?? [] }];
  const factory = useExisting ?? useClass;
  if (factory === undefined) throw new ModuleStartError(name, 'forRootAsync needs one of useFactory, useClass and useExisting.');
  const options: Provider = {
    provide: optionsToken,
    useFactory: (made: EventSourcingOptionsFactory) => made.createEventSourcingOptions(),
    inject: [factory],
  };
  return useClass === undefined ? [options] : [options, useClass];
}
