import type { ServerResponse } from 'node:http';
import type { Observable } from 'rxjs';
import { nameOf } from '../events/event-class';
import { checkOptions, InvalidArgumentError } from '../events/invalid-argument-error';
import { type ProblemOptions, problemOf } from './problem';
import { frameOf, type ServerSentEvent } from './server-sent-event';

/** How server-sent events are sent. */
export interface SendEventsOptions extends ProblemOptions {
  /** After how long a browser connects again; 3000 ms unless given. */
  readonly retryMs?: number | undefined;
  /** How often a comment is sent, so that nobody between takes the connection for dead; every 15000 ms unless given. */
  readonly heartbeatMs?: number | undefined;
  /**
   * How many messages may wait for a client that takes them too slowly; 1000 unless given. One more, and the connection is cut:
   * the client connects again, and goes on after what it got.
   */
  readonly maxPending?: number | undefined;
  /** Ends the response when it aborts, so that a server can stop that waits for its connections. */
  readonly signal?: AbortSignal | undefined;
}

/** Taken here, so that fake timers in a user's tests do not stop the heartbeats. */
const every = setInterval;
const later = setTimeout;

/** A client that has not taken the last messages after so long, or the time of a heartbeat, is cut off: servers wait for it. */
const longestEndMs = 5_000;

/**
 * Answers a request with events until the client leaves, the observable ends or `signal` aborts; then it unsubscribes. An error
 * of the observable is the last message, named `problem`.
 *
 * A client that takes messages too slowly is not waited for: of each instance the newest message waits for it, and at the end for no
 * more than five seconds.
 *
 * @returns when the response is over. It never rejects.
 * @throws {@link InvalidArgumentError} when an option is unknown or not possible; nothing is sent.
 */
export async function sendEvents(
  events: Observable<ServerSentEvent>,
  response: ServerResponse,
  options: SendEventsOptions = {},
): Promise<void> {
  const { retryMs = 3_000, heartbeatMs = 15_000, maxPending = 1_000, signal, ...problems } = options;
  checkOptions('sendEvents', options, ['retryMs', 'heartbeatMs', 'maxPending', 'signal', 'describe', 'types']);
  for (const [name, number] of Object.entries({ retryMs, heartbeatMs, maxPending })) checkNumber(name, number);
  const writer = new EventWriter(response, maxPending);
  if (!response.headersSent)
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      // Compression would hold messages back until there is enough of them.
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
  writer.write(`retry: ${retryMs}\n\n`);
  await new Promise<void>((resolve) => {
    const isHeadAlone = response.req?.method === 'HEAD';
    if (response.destroyed || signal?.aborted || isHeadAlone) return resolve();
    response.once('close', resolve);
    response.on('error', () => undefined);
    let cut: NodeJS.Timeout | undefined;
    const ending = () => {
      cut ??= later(() => response.destroy(), Math.min(heartbeatMs, longestEndMs));
    };
    const end = () => {
      ending();
      response.end();
    };
    const heartbeat = every(() => writer.beat(), heartbeatMs);
    heartbeat.unref();
    const subscription = events.subscribe({
      next: (event) => writer.send(event),
      error: (error: unknown) => {
        writer.send({ event: 'problem', data: problemOf(error, problems) });
        ending();
        writer.end();
      },
      complete: () => {
        ending();
        writer.end();
      },
    });
    signal?.addEventListener('abort', end);
    response.once('close', () => {
      subscription.unsubscribe();
      clearInterval(heartbeat);
      clearTimeout(cut);
      signal?.removeEventListener('abort', end);
    });
  });
  if (!response.destroyed) response.end();
}

/** Writes as fast as the client takes it. */
class EventWriter {
  /** What waits for the client, oldest first. */
  private readonly pending = new Map<string | symbol, ServerSentEvent>();
  private isFull = false;
  private isEnding = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly maxPending: number,
  ) {
    response.on('drain', () => this.drain());
  }

  send(event: ServerSentEvent): void {
    if (!this.isFull) {
      this.write(frameOf(event));
      return;
    }
    const key = event.key ?? Symbol('no key');
    // To the end of the queue: a message's id says that everything before it has been sent.
    this.pending.delete(key);
    this.pending.set(key, event);
    if (this.pending.size > this.maxPending) this.response.destroy();
  }

  write(text: string): void {
    if (text === '' || this.response.destroyed) return;
    this.isFull = !this.response.write(text);
  }

  beat(): void {
    if (!this.isFull) this.write(': \n\n');
  }

  end(): void {
    this.isEnding = true;
    if (!this.isFull) this.response.end();
  }

  private drain(): void {
    this.isFull = false;
    for (const [key, event] of this.pending) {
      if (this.isFull) return;
      this.pending.delete(key);
      this.write(frameOf(event));
    }
    if (this.isEnding && !this.isFull) this.response.end();
  }
}

function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value >= 2 ** 31)
    throw new InvalidArgumentError(`sendEvents takes ${name} as a whole number of 1 or more, not ${nameOf(value)}.`);
}
