import { Handles, Projection, ProjectionId } from 'eventfold';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { largeWhole } from './large-whole';
import { OrderCancelled } from './order-cancelled';
import { OrderLine, OrderPlaced } from './order-placed';

/** An order, as customers look it up. */
@Entity('shop_orders')
@Projection()
export class OrderSummary {
  @ProjectionId() @PrimaryColumn('varchar', { length: 36 }) orderId!: string;
  @Index() @Column('varchar', { length: 36 }) cartId: string = '';
  @Column('simple-json') lines: OrderLine[] = [];
  @Column(largeWhole) totalCents: number = 0;
  @Column('varchar', { length: 24 }) placedAt: string = '';
  @Column('varchar', { length: 24, nullable: true }) cancelledAt: string | null = null;

  @Handles(OrderPlaced)
  placed({ cartId, lines, totalCents, placedAt }: OrderPlaced) {
    Object.assign(this, { cartId, lines, totalCents, placedAt: placedAt.toISOString() });
  }

  @Handles(OrderCancelled)
  cancelled({ cancelledAt }: OrderCancelled) {
    this.cancelledAt = cancelledAt.toISOString();
  }
}
