import type { DataSource, EntityManager } from 'typeorm';
import { isOpen } from './transactions';

/** Finds the manager of the transaction that the caller's code runs in. */
export type FindManager = () => EntityManager | undefined;

/** What `@nestjs-cls/transactional` has for each connection. */
interface TransactionHost {
  isTransactionActive(): boolean;
  readonly tx: unknown;
}

interface TransactionHosts {
  readonly TransactionHost: {
    /** @throws when there is no host for the connection without a name. */
    getInstance(): TransactionHost;
    /** Those of named connections too. It is not documented. */
    readonly _instanceMap?: ReadonlyMap<unknown, TransactionHost>;
  };
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
  for (const host of hosts()) {
    const tx = host.isTransactionActive() ? (host.tx as EntityManager) : undefined;
    if (isOurs(tx, dataSource)) return tx;
  }
  return undefined;
}

function hosts(): Iterable<TransactionHost> {
  const { TransactionHost } = loadedHosts() ?? {};
  if (TransactionHost === undefined) return [];
  if (TransactionHost._instanceMap instanceof Map) return TransactionHost._instanceMap.values();
  try {
    return [TransactionHost.getInstance()];
  } catch {
    return [];
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
