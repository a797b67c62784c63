import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** When a connection is cut. */
export type Cut =
  /** Before the server gets the request. */
  | 'unsent'
  /** As soon as the server has the request. */
  | 'sent'
  /** When the server answers it. */
  | 'unanswered';

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/** Stands between a client and a server, and loses connections at a word. */
export class TcpProxy {
  /** How often a client has sent something. */
  requests = 0;
  /** How often a client was refused. */
  refused = 0;
  private readonly links = new Set<Link>();
  private readonly waiting = new Set<() => void>();
  private isAway = false;
  private isSilent = false;
  private order: { readonly cut: Cut; readonly text: string } | undefined;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (client) => this.accept(client));
  }

  /** @param url Where the server is. */
  static async before(url: string): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, new URL(url));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  /** Where the server seems to be. */
  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return url.href;
  }

  /** Cuts the next connection on which a request with `text` in it comes. */
  cutAt(text: string, cut: Cut): void {
    this.order = { text, cut };
  }

  /** From now on there is no server. */
  goAway(): void {
    this.isAway = true;
    for (const link of this.links) this.drop(link);
  }

  comeBack(): void {
    this.isAway = false;
  }

  /** From now on nothing comes through, and nobody is told. */
  fallSilent(): void {
    this.isSilent = true;
    for (const { client, server } of this.links) for (const socket of [client, server]) socket.pause();
  }

  /** What was held back comes through. */
  speakAgain(): void {
    this.isSilent = false;
    for (const { client, server } of this.links) for (const socket of [client, server]) socket.resume();
  }

  /** Whether the cut that was asked for is still to come. */
  get isToCut(): boolean {
    return this.order !== undefined;
  }

  /** Waits until clients were refused so often. */
  async refuses(times: number): Promise<void> {
    while (this.refused < times) await new Promise<void>((resolve) => this.waiting.add(resolve));
  }

  async close(): Promise<void> {
    this.goAway();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    client.on('error', () => client.destroy());
    if (this.isAway) {
      this.refused += 1;
      client.destroy();
      for (const resolve of this.waiting) resolve();
      return;
    }
    const server = connect(Number(this.target.port), this.target.hostname);
    const link = { client, server };
    this.links.add(link);
    server.on('error', () => this.drop(link));
    server.on('close', () => this.drop(link));
    client.on('close', () => server.end());
    client.on('data', (bytes) => this.request(link, bytes));
    server.on('data', (bytes) => client.write(bytes));
    if (this.isSilent) for (const socket of [client, server]) socket.pause();
  }

  private request(link: Link, bytes: Buffer): void {
    this.requests += 1;
    const { order } = this;
    if (order === undefined || !bytes.includes(order.text)) {
      link.server.write(bytes);
      return;
    }
    this.order = undefined;
    if (order.cut === 'unsent') {
      this.drop(link);
      return;
    }
    if (order.cut === 'unanswered') link.server.removeAllListeners('data').once('data', () => this.drop(link));
    link.server.write(bytes, () => {
      if (order.cut === 'sent') link.client.destroy();
    });
  }

  private drop(link: Link): void {
    this.links.delete(link);
    link.client.destroy();
    link.server.destroy();
  }
}
