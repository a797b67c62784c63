import { inspect } from 'node:util';
import { EventSourcingError } from '../../event-sourcing-error';

/**
 * The `EventSourcingModule` cannot start: the message says what is wrong and how to mend it, all of it. `cause` is the error that
 * `EventSourcing.open` threw, such as a {@link StartUpError}. It is logged as its message alone: where it was thrown is of no use.
 */
export class ModuleStartError extends EventSourcingError {
  override readonly code = 'MODULE_START';

  constructor(name: string, problem: string, options?: ErrorOptions) {
    super(`EventSourcingModule${name === 'default' ? '' : ` "${name}"`} cannot start. ${problem}`, options);
    this.stack = `${this.name}: ${this.message}`;
  }

  [inspect.custom](): string {
    return `${this.name}: ${this.message}`;
  }
}

/** Runs what belongs to the start of an instance. @throws {@link ModuleStartError} in place of errors that speak for themselves. */
export async function starting<T>(name: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ModuleStartError || !(error instanceof EventSourcingError)) throw error;
    throw new ModuleStartError(name, error.message, { cause: error });
  }
}
