/**
 * One message to a browser's `EventSource`.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export interface ServerSentEvent {
  /** What the browser sends back as `Last-Event-ID` when it connects again. Without data, nobody but the browser sees it. */
  readonly id?: string | undefined;
  /** The name that `addEventListener` asks for; `message` unless given. */
  readonly event?: string | undefined;
  /** Any JSON value; a bigint becomes text. Nothing is dispatched without it. */
  readonly data?: unknown;
  /** Of messages that wait for a slow client, only the newest with one key is kept; all are, without a key. */
  readonly key?: string | undefined;
}

/** @returns a message as it is sent. */
export function frameOf({ id, event, data }: ServerSentEvent): string {
  const json = dataOf(data);
  const lines = [
    ...(id === undefined ? [] : [`id: ${oneLine(id)}`]),
    ...(event === undefined ? [] : [`event: ${oneLine(event)}`]),
    ...(json === undefined ? [] : [`data: ${json}`]),
  ];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`;
}

/** @returns the data of a message as it is sent; undefined where there is none. */
export function dataOf(data: unknown): string | undefined {
  return JSON.stringify(data, withBigints) as string | undefined;
}

/** A line break would end the field, and begin one of whoever chose the text. */
function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ');
}

function withBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
