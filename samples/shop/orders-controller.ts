import { Body, Controller, Get, HttpCode, NotFoundException, Param, Post, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import type { AggregateRepository } from 'eventfold';
import { Consistent, InjectAggregates } from 'eventfold/nestjs';
import type { Response } from 'express';
import { Repository } from 'typeorm';
import { OrderAnswer, PlacedAnswer } from './answers';
import { CatalogueItem } from './catalogue-item';
import { Checkout } from './checkout';
import { Order } from './order';
import { OrderSummary } from './order-summary';
import { NewOrder, OrderPath } from './requests';

@ApiTags('orders')
@Controller('api/orders')
export class OrdersController {
  constructor(
    private readonly checkout: Checkout,
    @InjectAggregates(Order) private readonly orders: AggregateRepository<Order>,
    @InjectRepository(OrderSummary) private readonly summaries: Repository<OrderSummary>,
  ) {}

  @Post()
  @Consistent(CatalogueItem)
  @ApiCreatedResponse({ type: PlacedAnswer, description: '409 with the `shortages` when something is sold out' })
  async place(@Body() { cartId, totalCents }: NewOrder, @Res({ passthrough: true }) response: Response): Promise<PlacedAnswer> {
    const orderId = await this.checkout.placeOrder(cartId, totalCents);
    response.setHeader('location', `/api/orders/${orderId}`);
    return { orderId, totalCents };
  }

  @Get(':orderId')
  @Consistent(OrderSummary)
  @ApiOkResponse({ type: OrderAnswer })
  async get(@Param() { orderId }: OrderPath): Promise<OrderSummary> {
    const summary = await this.summaries.findOneBy({ orderId });
    if (summary === null) throw new NotFoundException('There is no such order.');
    return summary;
  }

  @Post(':orderId/cancellation')
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'Everything is back in stock' })
  async cancel(@Param() ids: OrderPath): Promise<void> {
    const order = await this.orders.load(ids);
    await order.cancel(new Date());
  }
}
