import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import type { EventStore } from '../../store/event-store';
import { type Begin, Instance } from './instance';
import type { EventSourcingModuleOptions } from './module-options';
import { getEventStoreToken, openedToken } from './tokens';
import { typeOrmPackages } from './typeorm-packages';

/** What one instance is provided with. */
export interface CoreParts {
  readonly name: string;
  /** Provides the module's options under {@link optionsToken}. */
  readonly providers: Provider[];
  readonly imports: NonNullable<DynamicModule['imports']>;
  /** Which DataSource of `@nestjs/typeorm` to look for; undefined for none. */
  readonly dataSource: string | undefined;
  readonly begin: Begin;
}

export const optionsToken = Symbol('EventSourcingModuleOptions');
const instanceToken = Symbol('EventSourcing instance');

/** Opens an instance, for all modules, and closes it with the application. */
@Module({})
export class EventSourcingCoreModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(@Inject(instanceToken) private readonly instance: Instance) {}

  static of({ name, providers, imports, dataSource, begin }: CoreParts): DynamicModule {
    const storeToken = getEventStoreToken(name);
    const instance: Provider = {
      provide: instanceToken,
      useFactory: (modules: ModulesContainer) => Instance.of(name, modules),
      inject: [ModulesContainer],
    };
    const store: Provider = {
      provide: storeToken,
      useFactory: (own: Instance, options: EventSourcingModuleOptions, injected?: DataSource) =>
        own.makeStore(options, { name: dataSource, injected }),
      inject: [instanceToken, optionsToken, ...dataSourceToken(dataSource)],
    };
    const opened: Provider = {
      provide: openedToken(name),
      useFactory: (own: Instance, made: EventStore, options: EventSourcingModuleOptions, moduleRef: ModuleRef) =>
        own.open(made, options, moduleRef, begin),
      inject: [instanceToken, storeToken, optionsToken, ModuleRef],
    };
    return {
      module: EventSourcingCoreModule,
      global: true,
      imports,
      providers: [...providers, instance, store, opened],
      exports: [storeToken, openedToken(name)],
    };
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.instance.start();
  }

  /** Before TypeORM closes its DataSource. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.instance.close();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.instance.disconnect();
  }
}

function dataSourceToken(name: string | undefined) {
  const nest = name === undefined ? undefined : typeOrmPackages()?.nest;
  return nest === undefined ? [] : [{ token: nest.getDataSourceToken(name) as never, optional: true }];
}
