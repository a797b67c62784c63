import type { DataSource } from 'typeorm';
import type { RemoteWakeUps } from './wake-ups';

/** A connection of `pg`. */
interface Client {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  on(event: 'notification' | 'error' | 'end', listener: () => void): void;
  end(): Promise<void>;
  unref?(): void;
}

/** The connections of a DataSource: what they are made of. */
interface Pool {
  readonly Client: new (options: object) => Client;
  readonly options: object;
}

/** At most one notification in this time: one wakes everybody, however many appends there were. */
const pauseMs = 25;
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
    listening.begin();
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

/**
 * One connection that listens, and another in its place when it is lost. It is none of the pool's, where it would
 * take the place of one that works: of the only one, maybe.
 */
class Listening {
  private isOver = false;
  private retryMs = shortestRetryMs;
  private client: Client | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly channel: string,
    private readonly hear: () => void,
  ) {}

  begin(): void {
    if (this.isOver || !this.dataSource.isInitialized) return;
    const { Client, options } = (this.dataSource.driver as unknown as { readonly master: Pool }).master;
    const client = new Client(options);
    this.client = client;
    client.on('notification', () => this.hear());
    client.on('error', () => this.lost(client));
    client.on('end', () => this.lost(client));
    this.listenOn(client).catch(() => this.lost(client));
  }

  stop(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    void this.client?.end().catch(() => undefined);
    this.client = undefined;
  }

  private async listenOn(client: Client): Promise<void> {
    await client.connect();
    // Polling keeps the process going, for as long as the DataSource is open.
    client.unref?.();
    await client.query(`LISTEN "${this.channel}"`);
    this.retryMs = shortestRetryMs;
    // Something may have been appended while nobody listened.
    if (!this.isOver) this.hear();
  }

  private lost(client: Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    void client.end().catch(() => undefined);
    this.timer = setTimeout(() => this.begin(), this.retryMs);
    this.retryMs = Math.min(longestRetryMs, this.retryMs * 2);
  }
}
