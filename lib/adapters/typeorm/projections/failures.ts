import { UnstorablePayloadError } from '../../../events/unstorable-payload-error';
import type { DialectName } from '../tables';
import { ConnectionBusyError } from '../typeorm-errors';
import { UnfitValueError } from './entity-errors';

interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly message?: unknown;
  readonly driverError?: unknown;
  readonly cause?: unknown;
}

const ofConnections = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** A deadlock and the like; too many connections; a server that starts, stops or recovers; no lock in time. */
const transientPostgres = /^(08|40|53300|55P03|55006|57P0[123]|57014|25P0[34]|58030)/;

const transientMySql = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
  'ER_LOCK_NOWAIT',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_SERVER_SHUTDOWN',
  'ER_NORMAL_SHUTDOWN',
  'ER_SHUTDOWN_COMPLETE',
  'ER_CONNECTION_KILLED',
  'ER_QUERY_INTERRUPTED',
  'ER_STATEMENT_TIMEOUT',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'POOL_CLOSED',
]);

/** What the drivers say that give no code, and TypeORM, which releases a query runner whose connection is lost. */
const transientTexts =
  /connection (terminated|ended|error|is closed)|Query runner already released|not queryable|client was closed|timeout exceeded when trying to connect|closed state|Queue limit reached|pool is closed|remaining connection slots/i;

/** What does not fit a column or an index, or breaks a rule of a table, or comes after such an error, which a handler has caught. */
const refusedPostgres = /^2[23].{3}$|^P0001$|^44000$|^25P02$|^54000$/;

/** What does not fit a column, or breaks a rule of a table. */
const refusedMySql = new Set([
  'ER_BAD_NULL_ERROR',
  'ER_DUP_ENTRY',
  'ER_DUP_KEY',
  'ER_DATA_TOO_LONG',
  'ER_DATA_OUT_OF_RANGE',
  'ER_WARN_DATA_OUT_OF_RANGE',
  'ER_TRUNCATED_WRONG_VALUE',
  'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
  'ER_INCORRECT_VALUE_FOR_FUNCTION',
  'ER_NO_DEFAULT_FOR_FIELD',
  'ER_NO_REFERENCED_ROW',
  'ER_NO_REFERENCED_ROW_2',
  'ER_ROW_IS_REFERENCED',
  'ER_ROW_IS_REFERENCED_2',
  'ER_CHECK_CONSTRAINT_VIOLATED',
  'ER_CONSTRAINT_FAILED',
  'ER_INVALID_JSON_TEXT',
  'ER_NET_PACKET_TOO_LARGE',
  'ER_SIGNAL_EXCEPTION',
  'ER_DIVISION_BY_ZERO',
  'ER_CANNOT_CONVERT_CHARACTER',
  'ER_TOO_BIG_ROWSIZE',
  'ER_WRONG_VALUE',
  'ER_WRONG_VALUE_FOR_TYPE',
  'WARN_DATA_TRUNCATED',
]);

/** MariaDB has errors that the driver knows no name of. */
const refusedErrnos = new Set([3819, 4025, 1366, 1292, 1264, 1406, 3140, 3141]);

/** Says whether an error may pass by itself. */
export function isTransientFailure(dialect: DialectName, error: unknown): boolean {
  if (error instanceof ConnectionBusyError) return true;
  return chainOf(error).some(({ code, message }) => {
    const name = typeof code === 'string' ? code : '';
    if (ofConnections.has(name)) return true;
    if (dialect === 'postgres' && transientPostgres.test(name)) return true;
    if (dialect === 'mysql' && transientMySql.has(name)) return true;
    if (dialect === 'sqlite')
      return /^SQLITE_(BUSY|LOCKED|IOERR|PROTOCOL)/.test(name) || /database is locked/.test(String(message));
    return name === '' && transientTexts.test(String(message));
  });
}

/** Says whether an error is about what was to be written. */
export function isRefusedWrite(dialect: DialectName, error: unknown): boolean {
  if (error instanceof UnstorablePayloadError || error instanceof UnfitValueError) return true;
  return chainOf(error).some(({ code, errno }) => {
    const name = typeof code === 'string' ? code : '';
    if (dialect === 'postgres') return refusedPostgres.test(name);
    if (dialect === 'mysql') return refusedMySql.has(name) || (typeof errno === 'number' && refusedErrnos.has(errno));
    return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(name);
  });
}

/** Says whether an error is about a table that is not there. */
export function isMissingTable(error: unknown): boolean {
  return /no such table|doesn't exist|does not exist/i.test(String(error));
}

/** What TypeORM and others have wrapped, from the outside in. */
function chainOf(error: unknown): DriverError[] {
  const chain: DriverError[] = [];
  for (let each = error; typeof each === 'object' && each !== null && chain.length < 8; ) {
    const one = each as DriverError;
    chain.push(one);
    each = one.driverError === each ? one.cause : (one.driverError ?? one.cause);
  }
  return chain;
}
