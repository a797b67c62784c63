import { isDeepStrictEqual } from 'node:util';
import type { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { EventSourcing } from '../../event-sourcing';
import type { EventStore } from '../../store/event-store';
import { consistencyMistakes } from './consistent-routes';
import { containerServices, scopeMistakes } from './container-services';
import { listedClasses } from './listed-classes';
import { checkModuleOptions, type ProvidedModuleOptions } from './module-options';
import { ModuleStartError, starting } from './module-start-error';
import { type FoundDataSource, makeStore } from './module-store';

/** When an instance that runs by itself begins to. */
export type Begin = 'when the application is up' | 'at once';

/** So long a shutdown waits for commands under way, in milliseconds. */
const defaultGraceMs = 10_000;

const kept = new WeakMap<ModulesContainer, Map<string, Instance>>();

/** One named `EventSourcing` of one application, however often its module is imported. */
export class Instance {
  private options: ProvidedModuleOptions = {};
  private ownDataSource: DataSource | undefined;
  private store: Promise<EventStore> | undefined;
  private opened: Promise<EventSourcing> | undefined;
  private isClosing = false;

  private constructor(
    private readonly name: string,
    private readonly modules: ModulesContainer,
  ) {}

  /** @returns the instance of that name of the application that the modules belong to. */
  static of(name: string, modules: ModulesContainer): Instance {
    const instances = kept.get(modules) ?? new Map<string, Instance>();
    kept.set(modules, instances);
    const instance = instances.get(name) ?? new Instance(name, modules);
    instances.set(name, instance);
    return instance;
  }

  /** @throws {@link ModuleStartError} when it was made before with other options. */
  makeStore(options: ProvidedModuleOptions, found: FoundDataSource): Promise<EventStore> {
    if (this.store !== undefined && !isSame(this.options, options))
      throw new ModuleStartError(this.name, 'It is imported twice, with different options. Give one of them another name.');
    this.store ??= starting(this.name, async () => {
      checkModuleOptions(options, this.name);
      this.options = options;
      const parts = { name: this.name, options, found, classes: this.classesOf(options) };
      const { store, ownDataSource } = await makeStore(parts);
      this.ownDataSource = ownDataSource;
      return store;
    });
    return this.store;
  }

  /** @param store What {@link makeStore} made, or a test put in its place. */
  open(store: EventStore, options: ProvidedModuleOptions, moduleRef: ModuleRef, begin: Begin): Promise<EventSourcing> {
    this.opened ??= starting(this.name, async () => {
      checkModuleOptions(options, this.name);
      this.options = options;
      try {
        return await EventSourcing.open(this.openingOptions(store, moduleRef, begin));
      } catch (error) {
        await this.disconnect();
        throw error;
      }
    });
    return this.opened;
  }

  /**
   * Runs the projections of a process that runs them by itself.
   *
   * @throws {@link ModuleStartError} also for routes that wait for what is no projection, and for reactors that need a request.
   */
  async start(): Promise<void> {
    const es = await this.opened;
    // Whoever closes the application while it starts makes no mistake.
    if (es === undefined || this.isClosing) return;
    const mistakes = [
      ...consistencyMistakes(this.modules, es, this.name, (name) => kept.get(this.modules)?.has(name) === true),
      ...scopeMistakes(this.modules, this.classesOf(this.options)),
    ];
    if (mistakes.length > 0) throw new ModuleStartError(this.name, mistakes.join('\n'));
    if (this.run === 'auto') await starting(this.name, () => this.startProjections(es));
  }

  private async startProjections(es: EventSourcing): Promise<void> {
    try {
      await es.projections.start();
    } catch (error) {
      if (!this.isClosing) throw error;
    }
  }

  /** Lets commands under way end, and closes. */
  async close(): Promise<void> {
    this.isClosing = true;
    const { graceMs = defaultGraceMs } = this.options;
    await (await this.opened)?.close({ graceMs });
  }

  /** Closes the DataSource that was made for it alone. */
  async disconnect(): Promise<void> {
    if (this.ownDataSource?.isInitialized) await this.ownDataSource.destroy();
  }

  private get run(): 'auto' | 'manual' | 'off' {
    return this.options.run ?? 'auto';
  }

  private openingOptions(store: EventStore, moduleRef: ModuleRef, begin: Begin) {
    const { name, dataSource, storeOptions, run, graceMs, projections, ...options } = this.options;
    const isLater = this.run === 'auto' && begin !== 'at once';
    return {
      ...containerServices(this.name, moduleRef, this.modules),
      ...options,
      store,
      classes: this.classesOf(options),
      projections: { ...projections, run: isLater ? ('manual' as const) : this.run },
    };
  }

  private classesOf({ classes = [] }: ProvidedModuleOptions) {
    return listedClasses(this.modules, this.name, classes);
  }
}

/** Says whether both keep events in the same place, and do the same with them. */
function isSame(one: ProvidedModuleOptions, other: ProvidedModuleOptions): boolean {
  const { classes, store, ...rest } = one;
  const { classes: _others, store: otherStore, ...otherRest } = other;
  return store === otherStore && isDeepStrictEqual(rest, otherRest);
}
