import { Type } from 'class-transformer';
import { IsDate, IsInt, IsUUID, Min, ValidateNested } from 'class-validator';
import { Event } from 'eventfold';
import { OrderLine } from './order-placed';

/** Says what comes back, so that each product's stock finds its share in it. */
@Event('order.cancelled')
export class OrderCancelled {
  @IsUUID() orderId!: string;
  @ValidateNested({ each: true }) @Type(() => OrderLine) lines!: OrderLine[];
  @IsInt() @Min(1) totalCents!: number;
  /** The day whose sales it takes back. */
  @IsDate() placedAt!: Date;
  @IsDate() cancelledAt!: Date;
}
