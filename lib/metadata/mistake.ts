import { EventSourcingError } from '../event-sourcing-error';

/** What can be wrong with a set of annotated classes; each is explained in `docs/errors.md`. */
export type MistakeCode =
  | 'NOT_A_CLASS'
  | 'UNDECORATED_CLASS'
  | 'TWO_KINDS'
  | 'LISTED_TWICE'
  | 'DUPLICATE_NAME'
  | 'DUPLICATE_EVENT_NAME'
  | 'NOT_AN_EVENT'
  | 'NO_HANDLERS'
  | 'DUPLICATE_HANDLER'
  | 'UNKNOWN_ID'
  | 'UNRESOLVED_ID'
  | 'DUPLICATE_COMMAND'
  | 'HANDLER_AND_COMMAND'
  | 'MISPLACED_COMMAND'
  | 'NO_AGGREGATE_ROOT'
  | 'CONSTRUCTOR_ARGUMENTS'
  | 'PRIVATE_STATE'
  | 'RESERVED_NAME'
  | 'UNFIT_STATE'
  | 'ASYNC_VALIDATOR'
  | 'NO_UPCASTERS'
  | 'UPCASTER_OF_NO_EVENT'
  | 'TWO_UPCASTERS'
  | 'UPCASTER_GAP'
  | 'UPCASTER_CYCLE'
  | 'UPCASTER_AHEAD'
  | 'PASSED_OVER_EVENT';

/** One mistake in the annotations: where it is, what is so, and how to mend it. */
export interface Mistake {
  readonly code: MistakeCode;
  /** The class's name. */
  readonly class: string;
  /** The method or property, when the mistake has one. */
  readonly member?: string;
  /** The stored name and version that nothing leads on from, when the mistake is a gap. */
  readonly event?: { readonly type: string; readonly version: number };
  readonly problem: string;
  readonly remedy: string;
}

/** The annotated classes do not fit together. It lists every mistake, not only the first. */
export class StartUpError extends EventSourcingError {
  override readonly code = 'START_UP';

  constructor(readonly mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? 'One mistake' : `${mistakes.length} mistakes`;
    super(`${count} in the annotated classes:\n${mistakes.map(describeMistake).join('\n')}`);
  }
}

function describeMistake({ code, class: className, member, problem, remedy }: Mistake): string {
  return `  - ${className}${member === undefined ? '' : `.${member}`}: ${problem}. ${remedy}. [${code}]`;
}
