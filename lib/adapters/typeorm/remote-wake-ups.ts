import type { DataSource } from 'typeorm';
import { isServer } from './postgres-dialect';
import { PostgresNotifications } from './postgres-notifications';
import type { TableNames } from './tables';
import type { RemoteWakeUps } from './wake-ups';

/** @returns how processes tell each other of appends; undefined where the database has no means. */
export function remoteWakeUps(dataSource: DataSource, { events }: TableNames): RemoteWakeUps | undefined {
  return dataSource.options.type === 'postgres' && isServer(dataSource)
    ? new PostgresNotifications(dataSource, events.table)
    : undefined;
}
