import { call, Refused } from './api.mjs';

const kept = 'the-fold-cart';

/** The customer's cart: kept by the shop under an id that this browser remembers. */
export class Cart {
  /** How many there are, by the product's id. */
  quantities = new Map();
  #id = localStorage.getItem(kept) ?? undefined;
  #tag;

  get isEmpty() {
    return this.quantities.size === 0;
  }

  /** Asks the shop what is in it. */
  async load() {
    if (this.#id === undefined) return;
    try {
      this.#take(await call('GET', `/api/carts/${this.#id}`));
    } catch (error) {
      if (error.problem?.status !== 404) throw error;
      this.#begin();
    }
  }

  async set(productId, quantity) {
    if (this.#id === undefined) this.#remember(newId());
    const path = `/api/carts/${this.#id}/items/${productId}`;
    try {
      this.#take(await call('PUT', path, { body: { quantity }, ifMatch: this.#tag }));
    } catch (error) {
      if (error.problem?.status !== 412) throw error;
      await this.load();
      throw new Refused({ status: 412, detail: 'The cart was changed elsewhere. This is how it is now: try again.' });
    }
  }

  /** Orders what is in it for what the customer was shown, and begins another cart. */
  async order(totalCents) {
    const { answer } = await call('POST', '/api/orders', { body: { cartId: this.#id, totalCents } });
    this.#begin();
    return answer;
  }

  #take({ answer, tag }) {
    if (answer.orderId !== null) return this.#begin();
    this.quantities = new Map(answer.lines.map(({ productId, quantity }) => [productId, quantity]));
    this.#tag = tag;
  }

  #begin() {
    localStorage.removeItem(kept);
    this.#id = undefined;
    this.#tag = undefined;
    this.quantities = new Map();
  }

  #remember(id) {
    this.#id = id;
    localStorage.setItem(kept, id);
  }
}

/** `crypto.randomUUID` is there for https and localhost only. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
