import { randomUUID } from 'node:crypto';
import { Injectable, Module } from '@nestjs/common';
import {
  CommandBus,
  CommandHandler,
  CqrsModule,
  AggregateRoot as CqrsRoot,
  EventsHandler,
  type ICommandHandler,
  type IEventHandler,
} from '@nestjs/cqrs';
import { Test } from '@nestjs/testing';
import {
  Aggregate,
  AggregateRepository,
  AggregateRoot,
  Command,
  Event,
  EventSourcing,
  Handles,
  ProjectionId,
  Reactor,
} from 'eventfold';
import { EventSourcingModule, InjectAggregates } from 'eventfold/nestjs';
import { appendUncommitted, EventSourcingCqrsModule } from 'eventfold/nestjs/cqrs';
import { EventSourcingTestingModule } from 'eventfold/nestjs/testing';

@Event('order.shipped')
class OrderShipped {
  constructor(
    readonly orderId: string,
    readonly city: string,
  ) {}
}

@Event('order.returned')
class OrderReturned {
  orderId!: string;
}

@Injectable()
class Mailer {
  readonly sent: string[] = [];
}

/** As it is written for @nestjs/cqrs. */
@EventsHandler(OrderShipped)
class TellCustomer implements IEventHandler<OrderShipped> {
  constructor(private readonly mailer: Mailer) {}

  async handle({ orderId, city }: OrderShipped) {
    this.mailer.sent.push(`${orderId} is on its way to ${city}`);
  }
}

class OldOrder extends CqrsRoot {
  private city = '';

  constructor(readonly orderId: string) {
    super();
  }

  ship(city: string) {
    if (this.city !== '') throw new Error('It is shipped already.');
    this.apply(new OrderShipped(this.orderId, city));
  }

  onOrderShipped({ city }: OrderShipped) {
    this.city = city;
  }
}

class ShipOrder {
  constructor(
    readonly orderId: string,
    readonly city: string,
  ) {}
}

/** Where a service kept its orders so far. */
@Injectable()
class OldOrders {
  find(orderId: string): OldOrder {
    return new OldOrder(orderId);
  }
}

@CommandHandler(ShipOrder)
class ShipOrderHandler implements ICommandHandler<ShipOrder> {
  constructor(
    private readonly es: EventSourcing,
    private readonly orders: OldOrders,
  ) {}

  async execute({ orderId, city }: ShipOrder) {
    const order = this.orders.find(orderId);
    order.ship(city);
    await appendUncommitted(this.es, order, { stream: `Order:${orderId}` }); // was: order.commit()
  }
}

@Aggregate()
class Order extends AggregateRoot<'orderId'> {
  @ProjectionId() readonly orderId!: string;
  private city = '';

  @Command()
  async ship(city: string) {
    if (this.city !== '') throw new Error('It is shipped already.');
    this.emit(OrderShipped, { city }); // was: this.apply(new OrderShipped(this.orderId, city))
  }

  @Handles(OrderShipped)
  protected onOrderShipped({ city }: OrderShipped) {
    this.city = city;
  }
}

class ShipAgain extends ShipOrder {}

@CommandHandler(ShipAgain)
class ShipAgainHandler implements ICommandHandler<ShipAgain> {
  constructor(@InjectAggregates(Order) private readonly orders: AggregateRepository<Order>) {}

  async execute({ orderId, city }: ShipAgain) {
    const order = await this.orders.loadOrCreate({ orderId });
    await order.ship(city);
  }
}

@Injectable()
@Reactor()
class TellOfReturns {
  constructor(private readonly mailer: Mailer) {}

  @Handles(OrderReturned)
  async returned({ orderId }: OrderReturned) {
    this.mailer.sent.push(`${orderId} is back`);
  }
}

@Module({
  imports: [EventSourcingModule.forFeature([Order, TellOfReturns])],
  providers: [Mailer, OldOrders, TellCustomer, ShipOrderHandler, ShipAgainHandler, TellOfReturns],
})
class OrdersModule {}

@Module({
  imports: [CqrsModule.forRoot(), EventSourcingCqrsModule.forRoot(), OrdersModule],
})
class AppModule {}

describe('docs/nestjs-cqrs.md', () => {
  it('moves over step by step', async () => {
    const moduleRef = await Test.createTestingModule({ imports: [EventSourcingTestingModule.forRoot(), AppModule] }).compile();
    const app = await moduleRef.init();
    const [one, other] = [randomUUID(), randomUUID()];
    await app.get(CommandBus).execute(new ShipOrder(one, 'Oslo'));
    await app.get(CommandBus).execute(new ShipAgain(other, 'Rome'));
    await app.get(EventSourcingCqrsModule).caughtUp(); // every handler has been handed what is stored
    expect(app.get(Mailer).sent).toStrictEqual([`${one} is on its way to Oslo`, `${other} is on its way to Rome`]);
    // What the old class has recorded is the history of the new one.
    await expect(app.get(CommandBus).execute(new ShipAgain(one, 'Rome'))).rejects.toThrow('It is shipped already.');
    const es = app.get(EventSourcing);
    await es.appendUnguarded('returns', [Object.assign(new OrderReturned(), { orderId: one })]);
    await es.projections.caughtUp(TellOfReturns);
    expect(app.get(Mailer).sent.at(-1)).toBe(`${one} is back`);
    await app.close();
  });
});
