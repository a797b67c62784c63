import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type AggregateRepository, EventSourcing } from 'eventfold';
import { InjectAggregates, InjectEventSourcing } from 'eventfold/nestjs';
import { In, Repository } from 'typeorm';
import { Cart } from './cart';
import { CatalogueItem } from './catalogue-item';
import { OutOfStock, type Shortage } from './refusals';
import { Stock } from './stock';

/** How often an order is tried again when rivals for its products were faster. */
const attempts = 8;

/** Makes an order of a cart: the cart's event and those of all its products' stocks are stored together, or nothing is. */
@Injectable()
export class Checkout {
  constructor(
    @InjectEventSourcing() private readonly es: EventSourcing,
    @InjectAggregates(Cart) private readonly carts: AggregateRepository<Cart>,
    @InjectAggregates(Stock) private readonly stocks: AggregateRepository<Stock>,
    @InjectRepository(CatalogueItem) private readonly catalogue: Repository<CatalogueItem>,
  ) {}

  /**
   * @returns the id of the order.
   * @throws {@link OutOfStock} when anything in the cart is not there any more, and the refusals of the cart.
   */
  async placeOrder(cartId: string, totalCents: number): Promise<string> {
    const orderId = randomUUID();
    await this.es.transaction(() => this.order({ orderId, cartId, totalCents }), { attempts });
    return orderId;
  }

  private async order({ orderId, cartId, totalCents }: Record<'orderId' | 'cartId', string> & { totalCents: number }) {
    const cart = await this.carts.load({ cartId });
    const productIds = [...cart.contents.keys()];
    // The prices that customers are shown; what they agreed to is compared with these.
    const items = await this.catalogue.findBy({ productId: In(productIds) });
    const offers = new Map(items.map((item) => [item.productId, item]));
    const lines = await cart.order({ orderId, offers, totalCents, placedAt: new Date() });
    const stocks = await Promise.all(lines.map(({ productId }) => this.stocks.loadOrCreate({ productId })));
    const shortages: Shortage[] = [];
    for (const [index, { available }] of stocks.entries()) {
      const { productId, name, quantity } = lines[index] as (typeof lines)[number];
      if (available < quantity) shortages.push({ productId, name, available, wanted: quantity });
    }
    if (shortages.length > 0) throw new OutOfStock(shortages);
    for (const [index, stock] of stocks.entries()) await stock.take(orderId, lines[index] as (typeof lines)[number]);
  }
}
