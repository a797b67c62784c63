import type { DataSource } from 'typeorm';
import { PostgresNotifications } from './postgres-notifications';
import type { TableNames } from './tables';
import type { RemoteWakeUps } from './wake-ups';

/** @returns how processes tell each other of appends; undefined where the database has no means. */
export function remoteWakeUps(dataSource: DataSource, { events }: TableNames): RemoteWakeUps | undefined {
  const { type, driver } = dataSource.options as { type: string; driver?: unknown };
  return type === 'postgres' && driver === undefined ? new PostgresNotifications(dataSource, events.table) : undefined;
}
