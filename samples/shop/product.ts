import { IsInt, IsString, Length, Matches, Max, Min } from 'class-validator';
import { Aggregate, AggregateRoot, Command, Event, Handles, type Payload, ProjectionId } from 'eventfold';

/** What products are called in addresses: `desk-lamp`. */
export const productIdPattern = /^[a-z0-9][a-z0-9-]{0,39}$/;
/** More than anything here costs. */
export const highestPrice = 10_000_000;

@Event('product.listed')
export class ProductListed {
  @Matches(productIdPattern) productId!: string;
  @IsString() @Length(1, 60) name!: string;
  @IsString() @Length(0, 200) description!: string;
  /** Which of the page's drawings shows it. */
  @Matches(productIdPattern) picture!: string;
  @IsInt() @Min(1) @Max(highestPrice) priceCents!: number;
}

@Event('product.price-changed')
export class PriceChanged {
  @Matches(productIdPattern) productId!: string;
  @IsInt() @Min(1) @Max(highestPrice) priceCents!: number;
}

/** What a product is and costs. How many there are is its `Stock`'s affair, so that a new price disturbs no order. */
@Aggregate()
export class Product extends AggregateRoot<'productId'> {
  @ProjectionId() readonly productId!: string;
  priceCents: number | undefined;

  @Command()
  async list(details: Omit<Payload<ProductListed>, 'productId'>) {
    if (this.priceCents === undefined) this.emit(ProductListed, details);
  }

  @Command()
  async changePrice(priceCents: number) {
    if (priceCents !== this.priceCents) this.emit(PriceChanged, { priceCents });
  }

  @Handles(ProductListed)
  protected listed({ priceCents }: ProductListed) {
    this.priceCents = priceCents;
  }

  @Handles(PriceChanged)
  protected priceChanged({ priceCents }: PriceChanged) {
    this.priceCents = priceCents;
  }
}
