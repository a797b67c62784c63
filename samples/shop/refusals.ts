/** What the shop refuses, in words for the customer. `status` is what it is in HTTP. */
export abstract class Refusal extends Error {
  abstract readonly status: 409 | 422;

  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** More was wanted of a product than there is. */
export interface Shortage {
  readonly productId: string;
  readonly name: string;
  readonly available: number;
  readonly wanted: number;
}

export class OutOfStock extends Refusal {
  readonly status = 409;
  constructor(readonly shortages: readonly Shortage[]) {
    super(`${shortages.map(textOf).join('; ')}. Nothing was ordered.`);
  }
}

export class TotalChanged extends Refusal {
  readonly status = 409;
  constructor(
    readonly agreedCents: number,
    readonly totalCents: number,
  ) {
    super('A price has changed since you saw the total. Look at the cart again, then order.');
  }
}

export class CartOrdered extends Refusal {
  readonly status = 409;
  constructor(
    readonly cartId: string,
    readonly orderId: string,
  ) {
    super('This cart has been ordered already. Begin another one.');
  }
}

export class NotOffered extends Refusal {
  readonly status = 409;
  constructor(readonly productId: string) {
    super(`${productId} is not on the shelf yet. Try again in a moment.`);
  }
}

export class EmptyCart extends Refusal {
  readonly status = 422;
  constructor(readonly cartId: string) {
    super('There is nothing in the cart to order.');
  }
}

export class CartFull extends Refusal {
  readonly status = 422;
  constructor(readonly mostLines: number) {
    super(`A cart holds ${mostLines} different products. Order these first.`);
  }
}

function textOf({ name, available, wanted }: Shortage): string {
  if (available === 0) return `${name} is sold out`;
  return `${name}: ${wanted} wanted, ${available} left`;
}
