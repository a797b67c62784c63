import { Aggregate, AggregateRoot, Command, Event, Handles, ProjectionId } from 'eventfold';

@Event('counter.counted')
export class Counted {
  counterId!: string;
}

/** An aggregate of which every event lies in its own stream. */
@Aggregate()
export class Counter extends AggregateRoot<'counterId'> {
  @ProjectionId() readonly counterId!: string;
  counted = 0;

  @Command()
  async count() {
    this.emit(Counted);
  }

  @Handles(Counted)
  protected onCounted() {
    this.counted += 1;
  }
}
