import { createEvent, Event, EventSourcing, Handles, InMemoryEventStore, Projection, ProjectionId } from 'eventfold';

@Event('tally.added')
export class Added {
  id!: string;
  amount!: number;
}

/** An event of two instances, which may be one and the same. */
@Event('tally.moved')
export class Moved {
  from!: string;
  to!: string;
  amount!: number;
}

/** An event that some handlers refuse. */
@Event('tally.poisoned')
export class Poisoned {
  id!: string;
  reason!: string;
}

export const added = (id: string, amount: number) => createEvent(Added, { id, amount });
export const moved = (from: string, to: string, amount: number) => createEvent(Moved, { from, to, amount });
export const poisoned = (id: string, reason = 'poison') => createEvent(Poisoned, { id, reason });

/** What a tally shows after some events, in the order in which it saw them. */
export class TallyState {
  @ProjectionId() id!: string;
  sum = 0;
  seen: number[] = [];

  protected see(amount: number) {
    this.sum += amount;
    this.seen.push(amount);
  }
}

@Projection()
export class AsyncTally extends TallyState {
  @Handles(Added)
  added(event: Added) {
    this.see(event.amount);
  }

  @Handles(Moved, { id: 'from' })
  sent(event: Moved) {
    this.see(-event.amount);
  }

  @Handles(Moved, { id: 'to' })
  received(event: Moved) {
    this.see(event.amount);
  }
}

@Projection({ mode: 'inline' })
export class InlineTally extends TallyState {
  @Handles(Added)
  added(event: Added) {
    this.see(event.amount);
  }

  @Handles(Moved, { id: 'from' })
  sent(event: Moved) {
    this.see(-event.amount);
  }

  @Handles(Moved, { id: 'to' })
  received(event: Moved) {
    this.see(event.amount);
  }
}

@Projection({ mode: 'live' })
export class LiveTally extends TallyState {
  @Handles(Added)
  added(event: Added) {
    this.see(event.amount);
  }

  @Handles(Moved, { id: 'from' })
  sent(event: Moved) {
    this.see(-event.amount);
  }

  @Handles(Moved, { id: 'to' })
  received(event: Moved) {
    this.see(event.amount);
  }
}

/** Refuses every poisoned event, after it has changed half of its state. */
@Projection()
export class FussyTally extends TallyState {
  @Handles(Added)
  added(event: Added) {
    this.see(event.amount);
  }

  @Handles(Poisoned)
  poisoned(event: Poisoned) {
    this.see(1_000_000);
    throw new Error(event.reason);
  }
}

/** Refuses to have poison stored, after it has changed half of its state. */
@Projection({ mode: 'inline' })
export class StrictInline {
  @ProjectionId() id!: string;
  seen: number[] = [];

  @Handles(Added)
  added(event: Added) {
    this.seen.push(event.amount);
  }

  @Handles(Poisoned)
  poisoned(event: Poisoned) {
    this.seen.push(-1);
    throw new Error(event.reason);
  }
}

/** A promise and the way to settle it. */
export class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((open) => {
    this.open = open;
  });
}

/** Opens an `EventSourcing` with a fixed clock. */
export function openTally(classes: readonly (abstract new (...args: never[]) => object)[], store = new InMemoryEventStore()) {
  return EventSourcing.open({ store, classes, clock: () => new Date('2026-01-02T03:04:05.678Z') });
}
