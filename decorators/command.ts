import { checkName, checkOptions, decoratedMember } from '../lib/metadata/decorated';
import { commandSlot } from '../lib/metadata/slots';

type CommandMethod = (...args: never[]) => Promise<unknown>;

/** A method decorator of TypeScript or of the standard that fits methods which return a promise. */
export interface CommandDecorator {
  <H extends CommandMethod>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<H>): void;
  <H extends CommandMethod>(value: H, context: ClassMethodDecoratorContext): void;
}

/** What `@Command` takes. */
export interface CommandOptions {
  /** What it is called from outside, without ":". The method's name unless given; needed on a method named by a symbol. */
  readonly name?: string;
}

/**
 * Makes an async method of an aggregate a command: it decides on fresh state and emits events, which are stored
 * together when it resolves. A lost race refreshes the instance and runs the body again, five times in all, so the
 * body should have no effect but its events.
 *
 * @throws {@link DecoratorError} on a static or `#private` method.
 */
export function Command(options: CommandOptions = {}): CommandDecorator {
  checkOptions('@Command', options, ['name']);
  if (options.name !== undefined) checkName('@Command', options.name);
  return (...args: readonly unknown[]): void => {
    const { holder, key } = decoratedMember('@Command', 'method', args);
    const name = options.name ?? (typeof key === 'symbol' ? key.description : key);
    checkName('@Command', name);
    commandSlot.update(holder, (commands = []) => [...commands, { method: key, name }]);
  };
}
