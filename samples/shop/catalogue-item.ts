import { Handles, Projection, ProjectionId } from 'eventfold';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { largeWhole } from './large-whole';
import { OrderCancelled } from './order-cancelled';
import { PriceChanged, ProductListed } from './product';
import { StockReceived, StockTaken } from './stock';

/** What the shop shows of a product: a row that keeps itself up to date, and is found by a `Repository`. */
@Entity('shop_catalogue')
@Projection()
export class CatalogueItem {
  @ProjectionId() @PrimaryColumn('varchar', { length: 40 }) productId!: string;
  @Column('varchar', { length: 60 }) name: string = '';
  @Column('varchar', { length: 200 }) description: string = '';
  @Column('varchar', { length: 40 }) picture: string = '';
  @Column('integer') priceCents: number = 0;
  @Column(largeWhole) available: number = 0;
  @Column(largeWhole) sold: number = 0;

  @Handles(ProductListed)
  listed({ name, description, picture, priceCents }: ProductListed) {
    Object.assign(this, { name, description, picture, priceCents });
  }

  @Handles(PriceChanged)
  priceChanged({ priceCents }: PriceChanged) {
    this.priceCents = priceCents;
  }

  @Handles(StockReceived)
  received({ quantity }: StockReceived) {
    this.available += quantity;
  }

  @Handles(StockTaken)
  taken({ quantity }: StockTaken) {
    this.available -= quantity;
    this.sold += quantity;
  }

  @Handles(OrderCancelled, { productId: ({ lines }) => lines.map(({ productId }) => productId) })
  returned({ lines }: OrderCancelled) {
    const quantity = lines.find(({ productId }) => productId === this.productId)?.quantity ?? 0;
    this.available += quantity;
    this.sold -= quantity;
  }
}
