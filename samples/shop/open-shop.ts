import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { EventSourcing, type RecordedEvent } from 'eventfold';
import { createShop } from './create-shop';
import { Shelf } from './shelf';
import type { ShopOptions } from './shop-module';

/** What a request was answered with. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: each route answers with something else
  readonly body: any;
}

/** A shop with its demo products, on a free port, in a SQLite file of its own. For specs. */
export class OpenShop {
  private constructor(
    readonly app: NestExpressApplication,
    readonly url: string,
    private readonly folder: string,
  ) {}

  /** @param options Of what to open: a new SQLite file, by one process, unless given. */
  static async open(options: Partial<ShopOptions> = {}): Promise<OpenShop> {
    const folder = mkdtempSync(join(tmpdir(), 'eventfold-shop-'));
    const app = await createShop({ store: join(folder, 'shop.sqlite'), role: 'all', ...options });
    // What the shop refuses is told to whoever asks, which a spec sees.
    app.useLogger(false);
    await app.listen(0, '127.0.0.1');
    await app.get(Shelf).fill();
    const shop = new OpenShop(app, await app.getUrl(), folder);
    await shop.es.projections.caughtUp();
    return shop;
  }

  get es(): EventSourcing {
    return this.app.get(EventSourcing);
  }

  get server(): Server {
    return this.app.getHttpServer();
  }

  /** Sends a request. A body that is text is sent as it is. */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }

  /** Everything that was ever stored. */
  async events(): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    const head = await this.es.head();
    for await (const event of this.es.events()) {
      events.push(event);
      if (event.position === head) break;
    }
    return events;
  }

  async close(): Promise<void> {
    await this.app.close();
    rmSync(this.folder, { recursive: true });
  }
}
