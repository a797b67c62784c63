import type { QueryRunner } from 'typeorm';
import { literal, withLiterals } from './postgres-texts';
import type { Statement } from './select-events';

export interface Result {
  readonly rows: object[];
  readonly rowCount?: number | null;
  /** What other drivers call it. */
  readonly affectedRows?: number;
}

/** A connection of `pg`, or of what stands in for it. */
export interface PostgresConnection {
  query(config: { text: string; values: readonly unknown[]; name?: string }): Promise<Result>;
  query(text: string, values?: readonly unknown[]): Promise<Result>;
}

/** What is prepared on one connection, by SQL. */
interface Prepared {
  readonly names: Map<string, string>;
  /** Tells names apart of those that may be there since before an error. */
  era: number;
}

/** Of the process, as stores share connections. */
const connections = new WeakMap<object, Prepared>();

/**
 * Sends several statements in one message. The protocol has no parameters for that, so the values are part of the text; what
 * comes often is prepared on the connection and executed by its name.
 */
export class PostgresMessages {
  private readonly waiting = new WeakMap<QueryRunner, Statement[]>();

  constructor(private readonly mayPrepare: boolean) {}

  /** Has statements go with the next message on the connection of `runner`. */
  hold(runner: QueryRunner, statements: readonly Statement[]): void {
    this.waiting.set(runner, [...(this.waiting.get(runner) ?? []), ...statements]);
  }

  /** @returns what was to go with the next message, and is not held any more. */
  held(runner: QueryRunner): readonly Statement[] {
    const held = this.waiting.get(runner) ?? [];
    this.waiting.delete(runner);
    return held;
  }

  /** @returns what the last of them came to. Those after one that fails do not run. */
  async send(connection: PostgresConnection, statements: readonly Statement[]): Promise<Result> {
    const prepared = preparedOn(connection);
    const texts = statements.flatMap((statement) => {
      const { sql, parameters } = statement;
      if (!statement.isFrequent || !this.mayPrepare) return [withLiterals(statement)];
      const name = prepared.names.get(sql) ?? `eventfold_${prepared.era}_${prepared.names.size + 1}`;
      const execute = `EXECUTE ${name}${parameters.length === 0 ? '' : `(${parameters.map(literal).join(', ')})`}`;
      if (prepared.names.has(sql)) return [execute];
      prepared.names.set(sql, name);
      return [`PREPARE ${name} AS ${sql}`, execute];
    });
    try {
      return [await connection.query(texts.join('; '))].flat().at(-1) as Result;
    } catch (error) {
      // Nobody knows what was prepared before it.
      prepared.names.clear();
      prepared.era += 1;
      throw error;
    }
  }
}

function preparedOn(connection: object): Prepared {
  let prepared = connections.get(connection);
  if (prepared === undefined) {
    prepared = { names: new Map(), era: 1 };
    connections.set(connection, prepared);
  }
  return prepared;
}
