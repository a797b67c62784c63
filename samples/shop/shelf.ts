import { Injectable } from '@nestjs/common';
import { AggregateExistsError, type AggregateRepository, EventSourcing } from 'eventfold';
import { InjectAggregates } from 'eventfold/nestjs';
import { demoProducts } from './demo-products';
import { Product } from './product';
import { Stock } from './stock';

/** Fills a new shop's shelf. */
@Injectable()
export class Shelf {
  constructor(
    private readonly es: EventSourcing,
    @InjectAggregates(Product) private readonly products: AggregateRepository<Product>,
    @InjectAggregates(Stock) private readonly stocks: AggregateRepository<Stock>,
  ) {}

  /** Lists each product that was never listed, together with its stock. What was sold out stays so. */
  async fill(products = demoProducts): Promise<void> {
    for (const { productId, quantity, ...details } of products) {
      try {
        await this.es.transaction(async () => {
          const product = await this.products.create({ productId });
          await product.list(details);
          const stock = await this.stocks.loadOrCreate({ productId });
          await stock.receive(quantity);
        });
      } catch (error) {
        if (!(error instanceof AggregateExistsError)) throw error;
      }
    }
  }
}
