import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, IsUUID, Length, Matches, Max, Min } from 'class-validator';
import { mostOfOne } from './cart';
import { highestPrice, productIdPattern } from './product';
import { largestDelivery } from './stock';

/** What the addresses name, and what the bodies of requests hold. Whatever is not here is refused. */
export class ProductPath {
  @ApiProperty({ example: 'desk-lamp', pattern: productIdPattern.source }) @Matches(productIdPattern) productId!: string;
}

export class CartPath {
  @ApiProperty({ format: 'uuid', description: 'Chosen by the customer’s browser' }) @IsUUID() cartId!: string;
}

export class CartItemPath extends CartPath {
  @ApiProperty({ example: 'desk-lamp', pattern: productIdPattern.source }) @Matches(productIdPattern) productId!: string;
}

export class OrderPath {
  @ApiProperty({ format: 'uuid' }) @IsUUID() orderId!: string;
}

export class NewProduct extends ProductPath {
  @ApiProperty({ example: 'Desk lamp' }) @IsString() @Length(1, 60) name!: string;
  @ApiProperty({ maxLength: 200 }) @IsString() @Length(0, 200) description!: string;
  @ApiProperty({ example: 'lamp', description: 'Which of the page’s drawings shows it' })
  @Matches(productIdPattern)
  picture!: string;
  @ApiProperty({ example: 5900, type: 'integer' }) @IsInt() @Min(1) @Max(highestPrice) priceCents!: number;
}

export class NewPrice {
  @ApiProperty({ example: 4900, type: 'integer' }) @IsInt() @Min(1) @Max(highestPrice) priceCents!: number;
}

export class Delivery {
  @ApiProperty({ example: 10, type: 'integer' }) @IsInt() @Min(1) @Max(largestDelivery) quantity!: number;
}

export class ItemQuantity {
  @ApiProperty({ example: 2, type: 'integer', description: 'How many from now on; 0 takes the product out' })
  @IsInt()
  @Min(0)
  @Max(mostOfOne)
  quantity!: number;
}

export class NewOrder {
  @ApiProperty({ format: 'uuid' }) @IsUUID() cartId!: string;
  @ApiProperty({ type: 'integer', description: 'What the customer was shown. At any other total nothing is ordered' })
  @IsInt()
  @Min(0)
  totalCents!: number;
}

export class SalesQuery {
  @ApiProperty({ required: false, type: 'integer', default: 7, minimum: 1, maximum: 366, description: 'The last so many days' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(366)
  days: number = 7;
}
