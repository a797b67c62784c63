import { nameOf } from './event-class';
import type { Violation } from './event-errors';
import type { RecordedEvent } from './recorded-event';
import { Upcasting, type UpcastingOptions } from './upcasting';
import { type RuledEvent, violationsOf } from './validate-event';

/** A stored event that breaks rules of its class, which may be younger than it is. It is read all the same. */
export interface InvalidStoredEvent {
  /** The event as it is read: under the name and version of its class, after upcasters. */
  readonly event: RecordedEvent;
  /** The class's name. */
  readonly class: string;
  readonly violations: readonly Violation[];
}

/** Hears of each event that breaks rules, when it is read. */
export type OnInvalid = (invalid: InvalidStoredEvent) => void;

/** An {@link Upcasting} that holds what it reads against the rules of its classes, and changes nothing about it. */
export class CheckedUpcasting extends Upcasting {
  private readonly ruled: ReadonlyMap<string, RuledEvent>;
  /** The data, as stored and as read, of what was held against the rules: one event is read several times on its way. */
  private readonly seen = new WeakSet<object>();

  constructor(
    options: UpcastingOptions,
    private readonly onInvalid: OnInvalid,
  ) {
    super(options);
    this.ruled = new Map([...options.names.values()].flatMap(({ event }) => (event === undefined ? [] : [[event.type, event]])));
  }

  override asStored(recorded: RecordedEvent): RecordedEvent | undefined {
    const event = super.asStored(recorded);
    if (event !== undefined) this.check(recorded, [event]);
    return event;
  }

  override parts(recorded: RecordedEvent): readonly RecordedEvent[] {
    const parts = super.parts(recorded);
    this.check(recorded, parts);
    return parts;
  }

  private check(recorded: RecordedEvent, events: readonly RecordedEvent[]): void {
    if (this.seen.has(recorded.data)) return;
    this.seen.add(recorded.data);
    for (const event of events) {
      this.seen.add(event.data);
      const ruled = this.ruled.get(event.type);
      const violations = ruled === undefined ? [] : violationsIn(ruled, event.data);
      if (ruled !== undefined && violations.length > 0) this.onInvalid({ event, class: ruled.class.name, violations });
    }
  }
}

/** A rule of the user's that throws is one that is broken: what is stored is read all the same. */
function violationsIn(ruled: RuledEvent, data: object): readonly Violation[] {
  try {
    return violationsOf(ruled, data);
  } catch (error) {
    return [{ property: '', rule: 'throws', message: `a rule threw ${error instanceof Error ? String(error) : nameOf(error)}` }];
  }
}
