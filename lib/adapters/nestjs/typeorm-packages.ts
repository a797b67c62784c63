import type * as NestTypeOrm from '@nestjs/typeorm';
import type * as TypeOrm from 'typeorm';
import type { Class } from '../../events/event-class';
import type * as Stores from '../typeorm/index';

/** What the module needs where events are kept through TypeORM, and only there. */
export interface TypeOrmPackages {
  readonly typeorm: typeof TypeOrm;
  readonly stores: typeof Stores;
  /** Undefined where `@nestjs/typeorm` is not installed. */
  readonly nest: typeof NestTypeOrm | undefined;
}

/** @returns the packages; undefined where TypeORM is not installed. */
export function typeOrmPackages(): TypeOrmPackages | undefined {
  const typeorm = installed('typeorm', () => require('typeorm') as typeof TypeOrm);
  if (typeorm === undefined) return undefined;
  const nest = installed('@nestjs/typeorm', () => require('@nestjs/typeorm') as typeof NestTypeOrm);
  return { typeorm, nest, stores: require('../typeorm/index') as typeof Stores };
}

/** @returns those of the classes that are entities of TypeORM. */
export function entitiesAmong(classes: readonly Class[], { typeorm }: TypeOrmPackages): Class[] {
  const entities = new Set<unknown>(typeorm.getMetadataArgsStorage().tables.map(({ target }) => target));
  return classes.filter((target) => entities.has(target));
}

/** Has `autoLoadEntities` of a DataSource of `@nestjs/typeorm` find the projections that are entities. */
export function autoLoad(classes: readonly Class[], dataSource: string): void {
  const packages = typeOrmPackages();
  if (packages?.nest === undefined) return;
  const entities = entitiesAmong(classes, packages);
  // What it returns would provide repositories, which whoever wants them asks for.
  if (entities.length > 0) packages.nest.TypeOrmModule.forFeature(entities as never[], dataSource);
}

function installed<T>(name: string, load: () => T): T | undefined {
  try {
    return load();
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    const isMissing = code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND';
    if (isMissing && message?.includes(`'${name}'`)) return undefined;
    throw error;
  }
}
