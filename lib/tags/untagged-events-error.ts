import { EventSourcingError } from '../event-sourcing-error';

/** Events in the store that a class would not find. */
export interface UntaggedEvents {
  /** The class that depends on them. */
  readonly class: string;
  /** Its id that they tell. */
  readonly id: string;
  /** The events' type. */
  readonly type: string;
  /** The property that they are not tagged by; where a function of the class gives the tag, `Class.id()`. */
  readonly property: string;
  /** How many there are; counted up to 100,000. */
  readonly count: number;
}

/** Events in the store lack tags by which a class finds them: the class, or its id map, is newer than they are. */
export class UntaggedEventsError extends EventSourcingError {
  override readonly code = 'UNTAGGED_EVENTS';

  constructor(readonly untagged: readonly UntaggedEvents[]) {
    super(
      `Events in the store lack tags by which a class finds them:\n${untagged.map(describe).join('\n')}\n` +
        'Open with { retag: true }, or call EventSourcing.retag({ store, classes }) before: it adds them while others go on.',
    );
  }
}

function describe({ class: className, id, type, property, count }: UntaggedEvents): string {
  return `  - ${className}.${id}: ${count} of "${type}" ${count === 1 ? 'has' : 'have'} no tag of "${property}".`;
}
