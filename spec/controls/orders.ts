import { Type } from 'class-transformer';
import { IsNumber, IsOptional, IsString } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Command,
  dropped,
  Event,
  type EventContext,
  Handles,
  Projection,
  ProjectionId,
  Upcasts,
  upcasts,
} from 'eventfold';

/** Version 1: { order, total }; version 2: { orderId, total }; version 3: { orderId, cents, currency }. */
@Event('order.placed', { version: 3, aliases: ['OrderPlaced'] })
export class Placed {
  @IsString() orderId!: string;
  @IsNumber() cents!: number;
  @IsString() currency!: string;
  @IsOptional() @Type(() => Date) due?: Date;
}

@Event('order.paid')
export class Paid {
  @IsString() orderId!: string;
  @IsNumber() cents!: number;
}

export class OrderUpcasters {
  private readonly currency = 'EUR';

  @Upcasts(Placed, { from: 1, to: 2 })
  static identified({ order, ...rest }: { order: string }) {
    if (order === 'throws') throw new Error('cannot');
    if (order === 'nothing') return undefined as never;
    if (order === 'another') return { name: 'another event' };
    if (order === 'changes') (rest as { total?: number }).total = 1;
    return { ...rest, orderId: order };
  }

  @Upcasts(Placed, { from: 2, to: 3 })
  priced({ total, ...rest }: { total: number }) {
    return { ...rest, cents: total * 100, currency: this.currency };
  }

  /** What was one event is two by now. */
  @Upcasts('order.placed-and-paid', {
    from: 1,
    into: [
      { event: Placed, version: 2 },
      { event: Paid, version: 1 },
    ],
  })
  static split({ orderId, total }: { orderId: string; total: number }, { metadata }: EventContext) {
    if (metadata['isTest'] === true) return dropped('written by a test of 2019');
    return [
      { event: Placed, data: { orderId, total } },
      { event: Paid, data: { orderId, cents: total * 100 } },
    ];
  }
}

/** Another name for a payment. */
export const settled = upcasts('order.settled', { from: 1, to: 1, into: Paid }, (data: { id: string; amount: number }) => ({
  orderId: data.id,
  cents: data.amount,
}));

export const upcasters = [OrderUpcasters, settled];

@Aggregate()
export class Order extends AggregateRoot<'orderId'> {
  @ProjectionId() readonly orderId!: string;
  seen: string[] = [];
  due = 0;

  @Command()
  async pay(cents: number) {
    this.emit(Paid, { cents });
  }

  @Handles(Placed)
  protected placed(event: Placed, { type, schemaVersion }: EventContext) {
    this.seen.push(`${type} ${schemaVersion} ${event.currency}`);
    this.due += event.cents;
  }

  @Handles(Paid)
  protected paid(event: Paid, { type, schemaVersion }: EventContext) {
    this.seen.push(`${type} ${schemaVersion}`);
    this.due -= event.cents;
  }
}

@Aggregate({ guard: 'boundary', name: 'OpenOrder' })
export class OpenOrder extends Order {}

class Sheet {
  @ProjectionId() orderId!: string;
  due = 0;
  events: string[] = [];

  @Handles(Placed)
  placed(event: Placed, { version, part }: EventContext) {
    this.events.push(`placed ${version}${part === undefined ? '' : ` ${part.number}/${part.of}`}`);
    this.due += event.cents;
  }

  @Handles(Paid)
  paid(event: Paid, { version, part }: EventContext) {
    this.events.push(`paid ${version}${part === undefined ? '' : ` ${part.number}/${part.of}`}`);
    if (event.cents === 1300) throw new Error('thirteen');
    this.due -= event.cents;
  }
}

@Projection()
export class AsyncSheet extends Sheet {}

@Projection({ mode: 'inline' })
export class InlineSheet extends Sheet {}

@Projection({ mode: 'live' })
export class LiveSheet extends Sheet {}

/** Only one half of what was stored together. */
@Projection()
export class Payments {
  @ProjectionId() orderId!: string;
  count = 0;

  @Handles(Paid)
  paid() {
    this.count += 1;
  }
}
