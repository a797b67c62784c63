import type { FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import type { DataSource, DataSourceOptions } from 'typeorm';
import type { EventSourcingOptions } from '../../event-sourcing';
import { type Class, nameOf } from '../../events/event-class';
import { checkOptions, InvalidArgumentError } from '../../events/invalid-argument-error';
import type { ProjectionRunOptions } from '../../projections/run-options';
import type { EventStore } from '../../store/event-store';
import type { TypeOrmEventStoreOptions } from '../typeorm/index';

/** What is known of an instance when the modules are defined. */
export interface EventSourcingModuleExtras {
  /** The name of the instance, where there are several: `'default'` unless given. */
  readonly name?: string;
  /** `false` has only modules that import this one, or `forFeature`, inject the instance: all can unless given. */
  readonly isGlobal?: boolean;
}

/** What `EventSourcingModule.forRoot` takes: what `EventSourcing.open` does, and where events are kept. */
export interface EventSourcingModuleOptions
  extends EventSourcingModuleExtras,
    Partial<Omit<EventSourcingOptions, 'projections'>> {
  /** Where events are kept. Without it in the database of `dataSource`. */
  readonly store?: EventStore;
  /**
   * A DataSource to keep events in: `true`, as unless given, for that of `@nestjs/typeorm` with this instance's name, the default
   * one for the default instance; another's name; one that is initialised, which stays yours to close; or options of a DataSource
   * of its own, to which the tables of the store, their migrations, and entity projections are added.
   */
  readonly dataSource?: true | string | DataSource | DataSourceOptions;
  /** What the store on a DataSource takes, such as `tablePrefix`. */
  readonly storeOptions?: TypeOrmEventStoreOptions;
  /** Aggregates, projections and events, beside those of all `forFeature`. */
  readonly classes?: readonly Class[];
  /**
   * `'auto'`, unless given, runs async projections once the application is up; `'manual'` when `es.projections.start()` is called;
   * `'off'` never: for web processes beside a worker.
   */
  readonly run?: 'auto' | 'manual' | 'off';
  /** How projections run in this process, beside `run`. */
  readonly projections?: Omit<ProjectionRunOptions, 'run'>;
  /** So long a shutdown waits for commands under way, in milliseconds of 0 or more: 10,000 unless given. */
  readonly graceMs?: number;
}

/** Options that are made when the modules are known already: which of them see the instance is `forRootAsync`'s to say. */
export type ProvidedModuleOptions = Omit<EventSourcingModuleOptions, 'isGlobal'>;

/** A class that makes the options, for `useClass` and `useExisting`. */
export interface EventSourcingOptionsFactory {
  createEventSourcingOptions(): Promise<ProvidedModuleOptions> | ProvidedModuleOptions;
}

/** What `EventSourcingModule.forRootAsync` takes: one of `useFactory`, `useClass` and `useExisting`, and what these need. */
export interface EventSourcingModuleAsyncOptions extends EventSourcingModuleExtras, Pick<ModuleMetadata, 'imports'> {
  /** The name of the DataSource of `@nestjs/typeorm`, for options that say nothing else: the instance's unless given. */
  readonly dataSource?: string;
  /** Classes whose repositories and readers are injected without a `forFeature`. */
  readonly classes?: readonly Class[];
  readonly inject?: FactoryProvider['inject'];
  // biome-ignore lint/suspicious/noExplicitAny: what is injected is of any type
  readonly useFactory?: (...args: any[]) => Promise<ProvidedModuleOptions> | ProvidedModuleOptions;
  readonly useClass?: Type<EventSourcingOptionsFactory>;
  readonly useExisting?: Type<EventSourcingOptionsFactory>;
}

/** The compiler holds it against the type. */
const known: Record<keyof ProvidedModuleOptions, true> = {
  name: true,
  store: true,
  dataSource: true,
  storeOptions: true,
  classes: true,
  run: true,
  projections: true,
  graceMs: true,
  retag: true,
  upcasters: true,
  passOver: true,
  storedEvents: true,
  validateStored: true,
  clock: true,
  ids: true,
  resolve: true,
  instances: true,
};

const call = 'EventSourcingModule.forRoot';

/**
 * @param name The instance's name, which was known before a factory gave its options.
 * @throws {@link InvalidArgumentError} for options that are none, an unknown one, or one that is not possible.
 */
export function checkModuleOptions(options: ProvidedModuleOptions, name: string): void {
  if (typeof options === 'object' && options !== null && 'isGlobal' in options)
    throw new InvalidArgumentError('A factory comes too late to say isGlobal. Give it to forRootAsync.');
  checkOptions(call, options, Object.keys(known));
  const { graceMs } = options;
  if (graceMs !== undefined && !(typeof graceMs === 'number' && graceMs >= 0))
    throw new InvalidArgumentError(`${call} cannot wait for ${nameOf(graceMs)} ms. Give graceMs of 0 or more.`);
  if (options.name !== undefined && options.name !== name)
    throw new InvalidArgumentError(`A factory cannot name the instance ${nameOf(options.name)}. Give forRootAsync the name.`);
}
