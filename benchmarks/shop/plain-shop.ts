import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import {
  Body,
  ConflictException,
  Controller,
  Get,
  Injectable,
  Module,
  NotFoundException,
  Param,
  Post,
  Put,
  UnprocessableEntityException,
  ValidationPipe,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, In } from 'typeorm';
import { CartItemPath, ItemQuantity, NewOrder } from '../../samples/shop/requests';
import { PlainCart, PlainCartLine, PlainOrder, PlainOrderLine, PlainProduct, plainTables } from './plain-tables';

/**
 * The two requests of a customer as one writes them without events: rows, and locks on the cart and on each product in order,
 * so that nothing is sold twice. Sales of a day are not kept: somebody would sum them up when they are asked for.
 */
@Injectable()
class PlainShop {
  constructor(private readonly dataSource: DataSource) {}

  setQuantity(cartId: string, productId: string, quantity: number): Promise<{ cartId: string; lines: PlainCartLine[] }> {
    return this.dataSource.transaction(async (manager) => {
      await manager.createQueryBuilder().insert().into(PlainCart).values({ cartId }).orIgnore().execute();
      const cart = await manager.findOneOrFail(PlainCart, { where: { cartId }, lock: { mode: 'pessimistic_write' } });
      if (cart.orderId !== null) throw new ConflictException('This cart has been ordered already.');
      if (!(await manager.existsBy(PlainProduct, { productId }))) throw new NotFoundException();
      if (quantity === 0) await manager.delete(PlainCartLine, { cartId, productId });
      else await manager.upsert(PlainCartLine, { cartId, productId, quantity }, ['cartId', 'productId']);
      return { cartId, lines: await manager.findBy(PlainCartLine, { cartId }) };
    });
  }

  placeOrder(cartId: string, totalCents: number): Promise<{ orderId: string; totalCents: number }> {
    return this.dataSource.transaction(async (manager) => {
      const cart = await manager.findOne(PlainCart, { where: { cartId }, lock: { mode: 'pessimistic_write' } });
      if (cart === null) throw new NotFoundException();
      if (cart.orderId !== null) throw new ConflictException('This cart has been ordered already.');
      const lines = await manager.findBy(PlainCartLine, { cartId });
      if (lines.length === 0) throw new UnprocessableEntityException('There is nothing in the cart to order.');
      const products = await manager.find(PlainProduct, {
        where: { productId: In(lines.map(({ productId }) => productId)) },
        order: { productId: 'ASC' },
        lock: { mode: 'pessimistic_write' },
      });
      const byId = new Map(products.map((product) => [product.productId, product]));
      const orderId = randomUUID();
      const ordered = lines.map(({ productId, quantity }) => {
        const product = byId.get(productId) as PlainProduct;
        if (product.available < quantity) throw new ConflictException(`${product.name} is sold out. Nothing was ordered.`);
        return { orderId, productId, quantity, priceCents: product.priceCents };
      });
      const total = ordered.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0);
      if (total !== totalCents) throw new ConflictException('A price has changed since you saw the total.');
      for (const { productId, quantity } of lines) {
        const move = { available: () => `available - ${quantity}`, sold: () => `sold + ${quantity}` };
        await manager.update(PlainProduct, { productId }, move);
      }
      await manager.insert(PlainOrder, { orderId, cartId, totalCents, placedAt: new Date() });
      await manager.insert(PlainOrderLine, ordered);
      await manager.update(PlainCart, { cartId }, { orderId });
      return { orderId, totalCents };
    });
  }
}

@Controller('api')
class PlainController {
  constructor(
    private readonly shop: PlainShop,
    private readonly dataSource: DataSource,
  ) {}

  @Get('products')
  products(): Promise<PlainProduct[]> {
    return this.dataSource.getRepository(PlainProduct).find({ order: { productId: 'ASC' } });
  }

  @Put('carts/:cartId/items/:productId')
  setQuantity(@Param() { cartId, productId }: CartItemPath, @Body() { quantity }: ItemQuantity) {
    return this.shop.setQuantity(cartId, productId, quantity);
  }

  @Post('orders')
  placeOrder(@Body() { cartId, totalCents }: NewOrder) {
    return this.shop.placeOrder(cartId, totalCents);
  }
}

/** @param url of PostgreSQL. */
function plainModule(url: string): new () => object {
  @Module({
    imports: [TypeOrmModule.forRoot({ type: 'postgres', url, entities: plainTables })],
    providers: [PlainShop],
    controllers: [PlainController],
  })
  class PlainModule {}
  return PlainModule;
}

/** Run as `node plain-shop.js <url>`: prints the port. */
async function main([url = '']: readonly string[]): Promise<void> {
  const app = await NestFactory.create(plainModule(url), { logger: ['error', 'warn'] });
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  console.log(await app.getUrl());
}

if (require.main === module) void main(process.argv.slice(2));
