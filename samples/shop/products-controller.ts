import { Body, Controller, Get, Headers, HttpCode, NotFoundException, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { type AggregateRepository, EventSourcing } from 'eventfold';
import { etagOf, requireMatch } from 'eventfold/http';
import { Consistent, InjectAggregates } from 'eventfold/nestjs';
import type { Request, Response } from 'express';
import { Repository } from 'typeorm';
import { ProductAnswer } from './answers';
import { CatalogueItem } from './catalogue-item';
import { live } from './live';
import { Product } from './product';
import { Delivery, NewPrice, NewProduct, ProductPath } from './requests';
import { Stock } from './stock';

/** The catalogue: for customers to read, and for whoever fills the shelf. */
@ApiTags('products')
@Controller('api/products')
export class ProductsController {
  constructor(
    private readonly es: EventSourcing,
    @InjectAggregates(Product) private readonly products: AggregateRepository<Product>,
    @InjectAggregates(Stock) private readonly stocks: AggregateRepository<Stock>,
    @InjectRepository(CatalogueItem) private readonly catalogue: Repository<CatalogueItem>,
  ) {}

  @Get()
  @Consistent(CatalogueItem)
  @ApiOkResponse({ type: [ProductAnswer] })
  all(): Promise<CatalogueItem[]> {
    return this.catalogue.find({ order: { name: 'ASC' } });
  }

  @Get('live')
  @ApiOperation({ summary: 'Server-sent events: `all` products, then each that changes, as `message`' })
  live(@Req() request: Request, @Res() response: Response): Promise<void> {
    return live(this.es, CatalogueItem, { request, response, all: () => this.all() });
  }

  @Get(':productId')
  @Consistent(CatalogueItem)
  @ApiOkResponse({ type: ProductAnswer })
  async one(@Param() { productId }: ProductPath): Promise<CatalogueItem> {
    const item = await this.catalogue.findOneBy({ productId });
    if (item === null) throw new NotFoundException('There is no such product.');
    return item;
  }

  @Post()
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'It is listed; 409 when there is one of this id' })
  async list(@Body() { productId, ...details }: NewProduct): Promise<void> {
    const product = await this.products.create({ productId });
    await product.list(details);
  }

  @Get(':productId/price')
  @ApiOkResponse({ type: NewPrice, description: 'With an ETag, for the header If-Match of a change' })
  async price(@Param() ids: ProductPath, @Res({ passthrough: true }) response: Response): Promise<NewPrice> {
    const product = await this.products.load(ids);
    response.setHeader('etag', etagOf(product));
    return { priceCents: product.priceCents as number };
  }

  @Put(':productId/price')
  @ApiHeader({ name: 'If-Match', required: true, description: 'The ETag of the price that this one takes the place of' })
  @ApiOkResponse({ type: NewPrice })
  async changePrice(
    @Param() ids: ProductPath,
    @Body() { priceCents }: NewPrice,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<NewPrice> {
    const product = await this.products.load(ids);
    requireMatch(product, ifMatch);
    await product.changePrice(priceCents);
    response.setHeader('etag', etagOf(product));
    return { priceCents };
  }

  @Post(':productId/deliveries')
  @HttpCode(204)
  @ApiNoContentResponse({ description: 'It is in stock' })
  async deliver(@Param() ids: ProductPath, @Body() { quantity }: Delivery): Promise<void> {
    await this.products.load(ids);
    const stock = await this.stocks.loadOrCreate(ids);
    await stock.receive(quantity);
  }
}
