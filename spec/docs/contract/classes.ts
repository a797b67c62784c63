import { IsInt, IsPositive, IsString, IsUUID } from 'class-validator';
import { Event, Handles, Projection, ProjectionId } from 'eventfold';

@Event('order.placed')
export class OrderPlaced {
  @IsUUID() orderId!: string;
  @IsString() sku!: string;
  @IsInt() @IsPositive() pieces!: number;
}

@Projection()
export class Order {
  @ProjectionId() orderId!: string;
  pieces = 0;

  @Handles(OrderPlaced)
  placed(event: OrderPlaced) {
    this.pieces += event.pieces;
  }
}

export const classes = [Order];
