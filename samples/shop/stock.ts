import { IsInt, IsUUID, Matches, Max, Min } from 'class-validator';
import { Aggregate, AggregateRoot, Command, Event, Handles, ProjectionId } from 'eventfold';
import { OrderCancelled } from './order-cancelled';
import type { OrderLine } from './order-placed';
import { productIdPattern } from './product';
import { OutOfStock } from './refusals';

/** In one delivery. */
export const largestDelivery = 1_000_000;

@Event('stock.received')
export class StockReceived {
  @Matches(productIdPattern) productId!: string;
  @IsInt() @Min(1) @Max(largestDelivery) quantity!: number;
}

@Event('stock.taken')
export class StockTaken {
  @Matches(productIdPattern) productId!: string;
  @IsUUID() orderId!: string;
  @IsInt() @Min(1) quantity!: number;
}

/**
 * How many there are of a product. A cancelled order, one event, puts back several products at once: so what the stock of one
 * depends on lies in the streams of orders, too, and each decision is guarded by all of it.
 */
@Aggregate({ snapshot: { every: 50, revision: 1 } })
export class Stock extends AggregateRoot<'productId'> {
  @ProjectionId() readonly productId!: string;
  available = 0;

  @Command()
  async receive(quantity: number) {
    this.emit(StockReceived, { quantity });
  }

  @Command()
  async take(orderId: string, { name, quantity }: Pick<OrderLine, 'name' | 'quantity'>) {
    const { productId, available } = this;
    if (quantity > available) throw new OutOfStock([{ productId, name, available, wanted: quantity }]);
    this.emit(StockTaken, { orderId, quantity });
  }

  @Handles(StockReceived)
  protected received({ quantity }: StockReceived) {
    this.available += quantity;
  }

  @Handles(StockTaken)
  protected taken({ quantity }: StockTaken) {
    this.available -= quantity;
  }

  @Handles(OrderCancelled, { productId: ({ lines }) => lines.map(({ productId }) => productId) })
  protected returned({ lines }: OrderCancelled) {
    this.available += lines.find(({ productId }) => productId === this.productId)?.quantity ?? 0;
  }
}
