import { ApiProperty } from '@nestjs/swagger';

/** What the shop answers, for those who read its OpenAPI. */
export class ProductAnswer {
  @ApiProperty() productId!: string;
  @ApiProperty() name!: string;
  @ApiProperty() description!: string;
  @ApiProperty() picture!: string;
  @ApiProperty({ type: 'integer' }) priceCents!: number;
  @ApiProperty({ type: 'integer', description: 'How many are left' }) available!: number;
  @ApiProperty({ type: 'integer' }) sold!: number;
}

export class CartLineAnswer {
  @ApiProperty() productId!: string;
  @ApiProperty({ type: 'integer' }) quantity!: number;
}

export class CartAnswer {
  @ApiProperty({ format: 'uuid' }) cartId!: string;
  @ApiProperty({ type: [CartLineAnswer] }) lines!: CartLineAnswer[];
  @ApiProperty({ type: String, nullable: true, description: 'What became of it' }) orderId!: string | null;
}

export class PlacedAnswer {
  @ApiProperty({ format: 'uuid' }) orderId!: string;
  @ApiProperty({ type: 'integer' }) totalCents!: number;
}

export class OrderLineAnswer extends CartLineAnswer {
  @ApiProperty() name!: string;
  @ApiProperty({ type: 'integer' }) priceCents!: number;
}

export class OrderAnswer extends PlacedAnswer {
  @ApiProperty({ format: 'uuid' }) cartId!: string;
  @ApiProperty({ type: [OrderLineAnswer] }) lines!: OrderLineAnswer[];
  @ApiProperty({ format: 'date-time' }) placedAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true }) cancelledAt!: string | null;
}

export class SalesAnswer {
  @ApiProperty({ example: '2026-11-21' }) day!: string;
  @ApiProperty({ type: 'integer' }) orders!: number;
  @ApiProperty({ type: 'integer' }) items!: number;
  @ApiProperty({ type: 'integer' }) revenueCents!: number;
}
