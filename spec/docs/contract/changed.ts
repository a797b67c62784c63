import { IsInt, IsOptional, IsPositive, IsString, IsUUID } from 'class-validator';
import { Event, Handles, Projection, ProjectionId } from 'eventfold';

@Event('order.placed')
export class OrderPlaced {
  @IsUUID() orderId!: string;
  @IsUUID() sku!: string;
  @IsInt() @IsPositive() quantity!: number;
  @IsOptional() @IsString() note?: string;
}

@Projection()
export class Order {
  @ProjectionId() orderId!: string;
  pieces = 0;

  @Handles(OrderPlaced)
  placed(event: OrderPlaced) {
    this.pieces += event.quantity;
  }
}

export const classes = [Order];
