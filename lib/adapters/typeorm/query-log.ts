import type { QueryRunner } from 'typeorm';

/** Tells a user's logger of statements, as TypeORM does of its own: each one, slow ones, and those that fail. */
export class QueryLog {
  private constructor(private readonly runner: QueryRunner) {}

  /** @returns undefined where nobody would hear of it. */
  static of(runner: QueryRunner): QueryLog | undefined {
    const { logging, logger, maxQueryExecutionTime } = runner.manager.connection.options;
    const isHeard = Boolean(logging) || typeof logger === 'object' || Boolean(maxQueryExecutionTime);
    return isHeard ? new QueryLog(runner) : undefined;
  }

  async run<T>(sql: string, parameters: readonly unknown[], query: () => Promise<T>): Promise<T> {
    const begun = this.begin(sql, parameters);
    try {
      const result = await query();
      this.end(begun, sql, parameters);
      return result;
    } catch (error) {
      this.fail(error, sql, parameters);
      throw error;
    }
  }

  /** For a driver that answers at once. */
  runAtOnce<T>(sql: string, parameters: readonly unknown[], query: () => T): T {
    const begun = this.begin(sql, parameters);
    try {
      const result = query();
      this.end(begun, sql, parameters);
      return result;
    } catch (error) {
      this.fail(error, sql, parameters);
      throw error;
    }
  }

  private begin(sql: string, parameters: readonly unknown[]): number {
    this.runner.manager.connection.logger.logQuery(sql, [...parameters], this.runner);
    return Date.now();
  }

  private end(begun: number, sql: string, parameters: readonly unknown[]): void {
    const { logger, options } = this.runner.manager.connection;
    const tookMs = Date.now() - begun;
    const longest = options.maxQueryExecutionTime;
    if (longest && tookMs > longest) logger.logQuerySlow(tookMs, sql, [...parameters], this.runner);
  }

  private fail(error: unknown, sql: string, parameters: readonly unknown[]): void {
    const reason = error instanceof Error ? error : String(error);
    this.runner.manager.connection.logger.logQueryError(reason, sql, [...parameters], this.runner);
  }
}
