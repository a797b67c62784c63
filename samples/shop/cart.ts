import { IsInt, IsUUID, Matches, Max, Min } from 'class-validator';
import { Aggregate, AggregateRoot, Command, Event, Handles, ProjectionId } from 'eventfold';
import { OrderLine, OrderPlaced } from './order-placed';
import { productIdPattern } from './product';
import { CartFull, CartOrdered, EmptyCart, NotOffered, TotalChanged } from './refusals';

/** Of one product in one cart. */
export const mostOfOne = 99;
/** Different products in one cart. */
export const mostLines = 20;

@Event('cart.quantity-set')
export class QuantitySet {
  @IsUUID() cartId!: string;
  @Matches(productIdPattern) productId!: string;
  /** How many there are from now on; 0 takes the product out. */
  @IsInt() @Min(0) @Max(mostOfOne) quantity!: number;
}

/** What a product is called and costs at the moment. */
export interface Offer {
  readonly name: string;
  readonly priceCents: number;
}

/** What a customer agrees to. */
export interface Purchase {
  readonly orderId: string;
  /** By the product's id. */
  readonly offers: ReadonlyMap<string, Offer>;
  /** What the customer was shown. */
  readonly totalCents: number;
  readonly placedAt: Date;
}

/** Begins with its first item and ends with its order. */
@Aggregate()
export class Cart extends AggregateRoot<'cartId'> {
  @ProjectionId() readonly cartId!: string;
  private readonly quantities = new Map<string, number>();
  /** What became of it. */
  orderId: string | undefined;

  /** What is in it, by the product's id. */
  get contents(): ReadonlyMap<string, number> {
    return this.quantities;
  }

  @Command()
  async setQuantity(productId: string, quantity: number) {
    this.checkOpen();
    if (quantity === (this.quantities.get(productId) ?? 0)) return;
    if (!this.quantities.has(productId) && this.quantities.size >= mostLines) throw new CartFull(mostLines);
    this.emit(QuantitySet, { productId, quantity });
  }

  /** Makes an order of it, once. @returns the lines of the order. */
  @Command()
  async order({ orderId, offers, totalCents, placedAt }: Purchase): Promise<readonly OrderLine[]> {
    this.checkOpen();
    if (this.quantities.size === 0) throw new EmptyCart(this.cartId);
    const lines = [...this.quantities].sort(byProduct).map(([productId, quantity]) => {
      const { name, priceCents } = offers.get(productId) ?? notOffered(productId);
      return Object.assign(new OrderLine(), { productId, name, quantity, priceCents });
    });
    const total = lines.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0);
    if (total !== totalCents) throw new TotalChanged(totalCents, total);
    this.emit(OrderPlaced, { orderId, lines, totalCents, placedAt });
    return lines;
  }

  @Handles(QuantitySet)
  protected quantitySet({ productId, quantity }: QuantitySet) {
    if (quantity === 0) this.quantities.delete(productId);
    else this.quantities.set(productId, quantity);
  }

  @Handles(OrderPlaced)
  protected ordered({ orderId }: OrderPlaced) {
    this.orderId = orderId;
  }

  private checkOpen() {
    if (this.orderId !== undefined) throw new CartOrdered(this.cartId, this.orderId);
  }
}

function notOffered(productId: string): never {
  throw new NotOffered(productId);
}

/** Orders that come to their products in one order do not wait for each other in a circle. */
function byProduct([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : 1;
}
