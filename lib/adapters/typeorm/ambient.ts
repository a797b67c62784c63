import type { DataSource, EntityManager } from 'typeorm';
import { isOpen } from './transactions';

/** Finds the manager of the transaction that the caller's code runs in. */
export type FindManager = () => EntityManager | undefined;

/** What `@nestjs-cls/transactional` offers. */
interface TransactionHosts {
  readonly TransactionHost: { getInstance(): { isTransactionActive(): boolean; readonly tx: unknown } };
}

/**
 * @returns how to find the transaction around the caller's code: that of `typeorm-transactional`, whose DataSource has
 * it as its manager, or of `@nestjs-cls/transactional`.
 */
export function ambientManagerOf(dataSource: DataSource): FindManager {
  return () => {
    const { manager } = dataSource;
    return isOurs(manager, dataSource) ? manager : managerOfHost(dataSource);
  };
}

function managerOfHost(dataSource: DataSource): EntityManager | undefined {
  try {
    const host = loadedHosts()?.TransactionHost.getInstance();
    const tx = host?.isTransactionActive() ? (host.tx as EntityManager) : undefined;
    return isOurs(tx, dataSource) ? tx : undefined;
  } catch {
    // Loaded, and not set up.
    return undefined;
  }
}

function isOurs(manager: EntityManager | undefined, dataSource: DataSource): manager is EntityManager {
  const runner = manager?.queryRunner;
  return runner !== undefined && isOpen(runner) && manager?.connection === dataSource;
}

let path: string | undefined;

/** Only when the application has loaded it: to load it for nothing takes long. */
function loadedHosts(): TransactionHosts | undefined {
  path ??= resolved('@nestjs-cls/transactional');
  return path === '' ? undefined : (require.cache[path]?.exports as TransactionHosts | undefined);
}

function resolved(name: string): string {
  try {
    return require.resolve(name);
  } catch {
    return '';
  }
}
