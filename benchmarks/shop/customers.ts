import { randomUUID } from 'node:crypto';
import autocannon from 'autocannon';

/** A product as customers see it. */
export interface Ware {
  readonly productId: string;
  readonly priceCents: number;
}

/** What came of a slice of load. */
export interface Slice {
  readonly seconds: number;
  readonly requests: number;
  /** The ids of all orders that were answered with success. */
  readonly orders: string[];
  /** How long each of those took, in milliseconds. */
  readonly latencies: number[];
  /** How many orders were answered otherwise, by the status and, where there is one, the code of the problem. */
  readonly refused: Map<string, number>;
  /** Requests without an answer. */
  readonly errors: number;
}

/**
 * Customers who put two of the wares into a new cart and order it, again and again.
 *
 * @param customers How many at once, in equal parts at each of the addresses.
 */
export async function shopAt(
  urls: readonly string[],
  wares: readonly Ware[],
  { customers, seconds }: { readonly customers: number; readonly seconds: number },
): Promise<Slice> {
  const orders: string[] = [];
  const latencies: number[] = [];
  const refused = new Map<string, number>();
  const start = performance.now();
  const results = await Promise.all(
    urls.map((url) =>
      autocannon({
        url,
        connections: customers / urls.length,
        duration: seconds,
        requests: requestsOf(wares, (status, body, latency) => {
          if (status === 201) {
            orders.push(JSON.parse(body).orderId);
            latencies.push(latency);
          } else refused.set(reasonOf(status, body), (refused.get(reasonOf(status, body)) ?? 0) + 1);
        }),
      }),
    ),
  );
  const sum = (of: (result: autocannon.Result) => number) => results.reduce((total, result) => total + of(result), 0);
  return {
    seconds: (performance.now() - start) / 1000,
    requests: sum(({ requests }) => requests.total),
    orders,
    latencies,
    refused,
    errors: sum(({ errors, timeouts }) => errors + timeouts),
  };
}

interface Context {
  cartId: string;
  wares: [Ware, Ware];
  quantities: [number, number];
  sent: number;
}

type Answered = (status: number, body: string, latency: number) => void;

function requestsOf(wares: readonly Ware[], answered: Answered): autocannon.Request[] {
  const put = (index: 0 | 1): autocannon.Request => ({
    setupRequest: (request, given) => {
      const context = given as Context;
      if (index === 0) begin(context, wares);
      const path = `/api/carts/${context.cartId}/items/${context.wares[index].productId}`;
      return json(request, 'PUT', path, { quantity: context.quantities[index] });
    },
  });
  const order: autocannon.Request = {
    setupRequest: (request, given) => {
      const { cartId, wares: chosen, quantities } = given as Context;
      const totalCents = chosen[0].priceCents * quantities[0] + chosen[1].priceCents * quantities[1];
      (given as Context).sent = performance.now();
      return json(request, 'POST', '/api/orders', { cartId, totalCents });
    },
    onResponse: (status, body, given) => answered(status, body, performance.now() - (given as Context).sent),
  };
  return [put(0), put(1), order];
}

function begin(context: Context, wares: readonly Ware[]): void {
  const first = Math.floor(Math.random() * wares.length);
  const second = (first + 1 + Math.floor(Math.random() * (wares.length - 1))) % wares.length;
  context.cartId = randomUUID();
  context.wares = [wares[first] as Ware, wares[second] as Ware];
  context.quantities = [1 + Math.floor(Math.random() * 2), 1 + Math.floor(Math.random() * 2)];
}

function json(request: autocannon.Request, method: 'PUT' | 'POST', path: string, body: object): autocannon.Request {
  return { ...request, method, path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function reasonOf(status: number, body: string): string {
  const { code, message, detail } = JSON.parse(body) as Record<string, string | undefined>;
  return `${status} ${code ?? (detail ?? message ?? '').replace(/^.*(sold out|left).*$/, '$1')}`;
}
