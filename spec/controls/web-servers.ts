import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on a port of its own. */
export interface WebServer {
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

export async function serve(listener: RequestListener): Promise<WebServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, close };
}

/** What came of one `EventSource` message. */
export interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
}

/** Reads server-sent events as they come; comments and `retry` are left out. */
export async function* messagesOf(response: Response): AsyncGenerator<Message, void> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() as string;
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
      const { id, event, data } = fields as Record<string, string | undefined>;
      if (id === undefined && event === undefined && data === undefined) continue;
      yield {
        ...(id !== undefined && { id }),
        ...(event !== undefined && { event }),
        ...(data !== undefined && { data: JSON.parse(data) as unknown }),
      };
    }
  }
}

/** Takes the next message, which there has to be. */
export async function next(messages: AsyncGenerator<Message, void>): Promise<Message> {
  const { value, done } = await messages.next();
  if (done) throw new Error('The stream of events is over.');
  return value as Message;
}
