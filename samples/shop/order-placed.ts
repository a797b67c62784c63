import { Type } from 'class-transformer';
import { ArrayMinSize, IsDate, IsInt, IsString, IsUUID, Matches, Min, ValidateNested } from 'class-validator';
import { Event } from 'eventfold';
import { productIdPattern } from './product';

/** So many of one product, at the price it had. */
export class OrderLine {
  @Matches(productIdPattern) productId!: string;
  @IsString() name!: string;
  @IsInt() @Min(1) quantity!: number;
  @IsInt() @Min(1) priceCents!: number;
}

/** Belongs to the cart that it empties, to the order that it begins, and to each product that it takes from the stock. */
@Event('order.placed')
export class OrderPlaced {
  @IsUUID() orderId!: string;
  @IsUUID() cartId!: string;
  @ValidateNested({ each: true }) @Type(() => OrderLine) @ArrayMinSize(1) lines!: OrderLine[];
  @IsInt() @Min(1) totalCents!: number;
  @IsDate() placedAt!: Date;
}
