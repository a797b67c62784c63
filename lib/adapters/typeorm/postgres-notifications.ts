import type { DataSource } from 'typeorm';

/** A connection of `pg`. */
interface Client {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  on(event: 'notification', listener: (notification: { readonly payload?: string }) => void): void;
  on(event: 'error' | 'end', listener: () => void): void;
  end(): Promise<void>;
  unref?(): void;
}

/** The connections of a DataSource: what they are made of. */
interface Pool {
  readonly Client: new (options: object) => Client;
  readonly options: object;
}

/** Hears of what other processes tell; undefined when something may have been missed. */
export type Hear = (topic: string | undefined) => void;

/** At most one round of notifications in this time: one wakes everybody, however often something happened. */
const pauseMs = 25;
const shortestRetryMs = 100;
const longestRetryMs = 5_000;

/**
 * Wakes other processes through LISTEN and NOTIFY. They are told after the commit, on a connection of its own, as a
 * NOTIFY within would make the commits of all transactions wait for each other.
 */
export class PostgresNotifications {
  private readonly channel: string;
  private readonly hearers = new Set<Hear>();
  private listening: Listening | undefined;

  constructor(
    private readonly dataSource: DataSource,
    table: string,
  ) {
    this.channel = `eventfold ${table.replaceAll('"', '')}`.slice(0, 63);
  }

  /** @returns a function that tells of a topic: at once, or soon when it has just done so. */
  announcer(): (topic: string) => void {
    const topics = new Set<string>();
    let isAnnouncing = false;
    const announce = async (): Promise<void> => {
      isAnnouncing = true;
      const told = [...topics];
      topics.clear();
      // Polling is the net under this: an announcement that fails is not repeated.
      await this.dataSource
        .query('SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic', [this.channel, told])
        .catch(() => undefined);
      setTimeout(() => {
        isAnnouncing = false;
        if (topics.size > 0) void announce();
      }, pauseMs).unref();
    };
    return (topic) => {
      topics.add(topic);
      if (!isAnnouncing) void announce();
    };
  }

  /** Has `hear` called until the returned function is. All of a store are told by one connection. */
  listen(hear: Hear): () => void {
    // Each its own, also where one function is given twice.
    const hearer: Hear = (topic) => hear(topic);
    this.hearers.add(hearer);
    if (this.listening === undefined) {
      this.listening = new Listening(this.dataSource, this.channel, (topic) => {
        for (const each of this.hearers) each(topic);
      });
      this.listening.begin();
    }
    return () => {
      this.hearers.delete(hearer);
      if (this.hearers.size > 0) return;
      this.listening?.stop();
      this.listening = undefined;
    };
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
    private readonly hear: Hear,
  ) {}

  begin(): void {
    if (this.isOver || !this.dataSource.isInitialized) return;
    const { Client, options } = (this.dataSource.driver as unknown as { readonly master: Pool }).master;
    const client = new Client(options);
    this.client = client;
    client.on('notification', ({ payload }) => this.hear(payload ?? ''));
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
    // Something may have happened while nobody listened.
    if (!this.isOver) this.hear(undefined);
  }

  private lost(client: Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    void client.end().catch(() => undefined);
    this.timer = setTimeout(() => this.begin(), this.retryMs);
    this.retryMs = Math.min(longestRetryMs, this.retryMs * 2);
  }
}
