import { Body, Controller, Get, Headers, Param, Put, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { AggregateRepository } from 'eventfold';
import { etagOf, requireMatch } from 'eventfold/http';
import { InjectAggregates } from 'eventfold/nestjs';
import type { Response } from 'express';
import { CartAnswer } from './answers';
import { Cart } from './cart';
import { Product } from './product';
import { CartItemPath, CartPath, ItemQuantity } from './requests';

/** Carts, whose ids the customers' browsers choose. Who knows the id has the cart. */
@ApiTags('carts')
@Controller('api/carts/:cartId')
export class CartsController {
  constructor(
    @InjectAggregates(Cart) private readonly carts: AggregateRepository<Cart>,
    @InjectAggregates(Product) private readonly products: AggregateRepository<Product>,
  ) {}

  @Get()
  @ApiOkResponse({ type: CartAnswer, description: 'With an ETag, for the header If-Match of a change' })
  async get(@Param() ids: CartPath, @Res({ passthrough: true }) response: Response): Promise<CartAnswer> {
    return answer(await this.carts.load(ids), response);
  }

  @Put('items/:productId')
  @ApiHeader({ name: 'If-Match', required: false, description: 'The ETag of the cart that the change is meant for' })
  @ApiOkResponse({ type: CartAnswer })
  async setQuantity(
    @Param() { cartId, productId }: CartItemPath,
    @Body() { quantity }: ItemQuantity,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CartAnswer> {
    const [cart] = await Promise.all([this.carts.loadOrCreate({ cartId }), this.products.load({ productId })]);
    requireMatch(cart, ifMatch, { missing: 'allow' });
    await cart.setQuantity(productId, quantity);
    return answer(cart, response);
  }
}

function answer(cart: Cart, response: Response): CartAnswer {
  response.setHeader('etag', etagOf(cart));
  const lines = [...cart.contents].map(([productId, quantity]) => ({ productId, quantity }));
  return { cartId: cart.cartId, lines, orderId: cart.orderId ?? null };
}
