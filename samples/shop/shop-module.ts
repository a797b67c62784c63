import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  EventSourcingExceptionFilter,
  EventSourcingHealthIndicator,
  EventSourcingModule,
  RequestContextInterceptor,
} from 'eventfold/nestjs';
import { CartsController } from './carts-controller';
import { Checkout } from './checkout';
import { HealthController } from './health-controller';
import { OrdersController } from './orders-controller';
import { ProductsController } from './products-controller';
import { SalesController } from './sales-controller';
import { Shelf } from './shelf';
import { aggregates, readModels } from './shop-classes';
import { shopDatabase } from './shop-database';
import { shopProblem } from './shop-problem';

/** What a process of the shop does: serve customers, keep the read models up to date, or both. */
export type Role = 'all' | 'web' | 'worker';

/** Where a process of the shop keeps everything, and what it does. */
export interface ShopOptions {
  /** The path of a SQLite file, or the address of a PostgreSQL database. */
  readonly store: string;
  readonly role: Role;
}

/** The shop. Every process has this module; a worker listens to no port, and a web process runs no projection. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: a module of Nest is a class
export class ShopModule {
  static of({ store, role }: ShopOptions): DynamicModule {
    return {
      module: ShopModule,
      imports: [
        TerminusModule,
        TypeOrmModule.forRoot({ ...shopDatabase(store), synchronize: role !== 'web' }),
        TypeOrmModule.forFeature(readModels),
        EventSourcingModule.forRoot({ run: role === 'web' ? 'off' : 'auto' }),
        EventSourcingModule.forFeature([...aggregates, ...readModels]),
      ],
      controllers: [ProductsController, CartsController, OrdersController, SalesController, HealthController],
      providers: [
        Checkout,
        Shelf,
        EventSourcingHealthIndicator,
        { provide: APP_FILTER, useValue: new EventSourcingExceptionFilter({ describe: shopProblem }) },
        { provide: APP_INTERCEPTOR, useClass: RequestContextInterceptor },
      ],
      exports: [Shelf],
    };
  }
}
