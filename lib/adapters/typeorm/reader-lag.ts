import type { Position } from '../../events/recorded-event';

/** A transaction with an append that is not committed: readers stop before it, as what is stored behind it comes later. */
export interface ReaderLag {
  /** What readers still get: everything up to here. Undefined when it is nothing. */
  readonly upTo: Position | undefined;
  /** The process id of the session, for `pg_terminate_backend`. Undefined for a prepared transaction, which has none. */
  readonly pid: number | undefined;
  /** The `application_name` of the session, or the name of the prepared transaction. */
  readonly application: string;
  /** `'idle in transaction'`, `'active'`, or another state of `pg_stat_activity`; `'prepared'`. */
  readonly state: string;
  /** When the transaction began, and how long ago that is by the clock of the server. */
  readonly since: Date;
  readonly forMs: number;
  /** The last statement of the session, if this user may see it. */
  readonly query: string;
}

interface LagRow {
  readonly marker: string;
  readonly pid: number | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly since: Date | string;
  readonly for_ms: number | string;
  readonly query: string | null;
}

export function readerLagOf({ marker, pid, application, state, since, for_ms, query }: LagRow): ReaderLag {
  return {
    upTo: marker === '0' ? undefined : (marker as Position),
    pid: pid ?? undefined,
    application: application ?? '',
    state: state ?? '',
    since: new Date(since),
    forMs: Number(for_ms),
    query: query ?? '',
  };
}
