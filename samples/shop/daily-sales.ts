import { Handles, Projection, ProjectionId } from 'eventfold';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { largeWhole } from './large-whole';
import { OrderCancelled } from './order-cancelled';
import { type OrderLine, OrderPlaced } from './order-placed';

/** What was sold on a day (UTC). An order that is cancelled later is taken out of the day on which it was placed. */
@Entity('shop_daily_sales')
@Projection()
export class DailySales {
  @ProjectionId() @PrimaryColumn('varchar', { length: 10 }) day!: string;
  @Column('integer') orders: number = 0;
  @Column(largeWhole) items: number = 0;
  @Column(largeWhole) revenueCents: number = 0;

  @Handles(OrderPlaced, { day: dayOf })
  placed({ lines, totalCents }: OrderPlaced) {
    this.orders += 1;
    this.items += itemsIn(lines);
    this.revenueCents += totalCents;
  }

  @Handles(OrderCancelled, { day: dayOf })
  cancelled({ lines, totalCents }: OrderCancelled) {
    this.orders -= 1;
    this.items -= itemsIn(lines);
    this.revenueCents -= totalCents;
  }
}

/** @returns the day of a time by UTC: `2026-11-21`. */
export function dayOf({ placedAt }: { readonly placedAt: Date }): string {
  return placedAt.toISOString().slice(0, 10);
}

function itemsIn(lines: readonly OrderLine[]): number {
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}
