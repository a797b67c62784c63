import type { DataSource, QueryRunner } from 'typeorm';
import type { RemoteWakeUps } from './wake-ups';

interface NotifyingConnection {
  on(event: 'notification', listener: () => void): void;
  on(event: 'error' | 'end', listener: (error?: unknown) => void): void;
  removeListener(event: string, listener: (...args: never[]) => void): void;
  query(text: string): Promise<unknown>;
}

/** At most one notification in this time: one wakes everybody, however many appends there were. */
const pauseMs = 10;
const shortestRetryMs = 100;
const longestRetryMs = 5_000;

/**
 * Wakes other processes through LISTEN and NOTIFY. It is told after the commit, on a connection of its own, as a
 * NOTIFY within would make the commits of all transactions wait for each other.
 */
export class PostgresNotifications implements RemoteWakeUps {
  private readonly channel: string;
  private isAnnouncing = false;
  private isAgain = false;

  constructor(
    private readonly dataSource: DataSource,
    table: string,
  ) {
    this.channel = `eventfold ${table.replaceAll('"', '')}`.slice(0, 63);
  }

  announce(): void {
    this.isAgain = this.isAnnouncing;
    if (this.isAnnouncing) return;
    this.isAnnouncing = true;
    void this.notify();
  }

  listen(hear: () => void): () => void {
    const listening = new Listening(this.dataSource, this.channel, hear);
    void listening.begin();
    return () => listening.stop();
  }

  private async notify(): Promise<void> {
    // Polling is the net under this: an announcement that fails is not repeated.
    await this.dataSource.query('SELECT pg_notify($1, $2)', [this.channel, '']).catch(() => undefined);
    setTimeout(() => {
      this.isAnnouncing = false;
      if (this.isAgain) this.announce();
    }, pauseMs).unref();
  }
}

/** One connection that listens, and another in its place when it is lost. */
class Listening {
  private isOver = false;
  private retryMs = shortestRetryMs;
  private release: (() => Promise<void>) | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly channel: string,
    private readonly hear: () => void,
  ) {}

  async begin(): Promise<void> {
    const runner = this.dataSource.createQueryRunner('master');
    try {
      const connection = (await runner.connect()) as NotifyingConnection;
      this.release = this.attach(runner, connection);
      await connection.query(`LISTEN "${this.channel}"`);
      this.retryMs = shortestRetryMs;
      // Something may have been appended while nobody listened.
      if (!this.isOver) this.hear();
    } catch {
      this.again();
    }
    if (this.isOver) this.stop();
  }

  stop(): void {
    this.isOver = true;
    void this.release?.();
  }

  private attach(runner: QueryRunner, connection: NotifyingConnection): () => Promise<void> {
    const lost = () => this.again();
    connection.on('notification', this.hear);
    connection.on('error', lost);
    connection.on('end', lost);
    return async () => {
      this.release = undefined;
      connection.removeListener('notification', this.hear);
      connection.removeListener('error', lost);
      connection.removeListener('end', lost);
      await connection.query(`UNLISTEN "${this.channel}"`).catch(() => undefined);
      await runner.release().catch(() => undefined);
    };
  }

  private again(): void {
    void this.release?.();
    if (this.isOver) return;
    setTimeout(() => void this.begin(), this.retryMs).unref();
    this.retryMs = Math.min(longestRetryMs, this.retryMs * 2);
  }
}
