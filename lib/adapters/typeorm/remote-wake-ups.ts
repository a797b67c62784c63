import type { DataSource } from 'typeorm';
import { isServer } from './postgres-dialect';
import { PostgresNotifications } from './postgres-notifications';
import type { RemoteProgress } from './projections/progress';
import type { TableNames } from './tables';
import type { RemoteWakeUps } from './wake-ups';

/** How processes tell each other: of appends, and of what projections have done. */
export interface Remote {
  readonly appends: RemoteWakeUps;
  readonly progress: RemoteProgress;
}

/** What is told of: of appends the empty topic, of a projection its name. */
const ofAppends = '';
const ofProjection = 'projection ';

/** @returns undefined where the database has no means. */
export function remoteWakeUps(dataSource: DataSource, { events }: TableNames): Remote | undefined {
  if (dataSource.options.type !== 'postgres' || !isServer(dataSource)) return undefined;
  const notifications = new PostgresNotifications(dataSource, events.table);
  // Each with pauses of its own: projections move on right after an append.
  const tellOfAppend = notifications.announcer();
  const tellOfProgress = notifications.announcer();
  return {
    appends: {
      announce: () => tellOfAppend(ofAppends),
      listen: (hear) =>
        notifications.listen((topic) => {
          if (topic === undefined || topic === ofAppends) hear();
        }),
    },
    progress: {
      announce: (projection) => tellOfProgress(ofProjection + projection),
      listen: (hear) =>
        notifications.listen((topic) => {
          if (topic === undefined) hear(undefined);
          else if (topic.startsWith(ofProjection)) hear(topic.slice(ofProjection.length));
        }),
    },
  };
}
