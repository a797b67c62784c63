import { Aggregate, AggregateRoot, Command, Handles, ProjectionId } from 'eventfold';
import { OrderCancelled } from './order-cancelled';
import { OrderPlaced } from './order-placed';

/** What became of a cart. It begins with the event that the cart emits. */
@Aggregate()
export class Order extends AggregateRoot<'orderId'> {
  @ProjectionId() readonly orderId!: string;
  private placed: Pick<OrderPlaced, 'lines' | 'totalCents' | 'placedAt'> | undefined;
  private isCancelled = false;

  /** Once is enough: a repeat changes nothing. */
  @Command()
  async cancel(cancelledAt: Date) {
    if (this.placed === undefined || this.isCancelled) return;
    const { lines, totalCents, placedAt } = this.placed;
    this.emit(OrderCancelled, { lines: [...lines], totalCents, placedAt, cancelledAt });
  }

  @Handles(OrderPlaced)
  protected began({ lines, totalCents, placedAt }: OrderPlaced) {
    this.placed = { lines, totalCents, placedAt };
  }

  @Handles(OrderCancelled)
  protected cancelled() {
    this.isCancelled = true;
  }
}
