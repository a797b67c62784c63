import { DecoratorError } from 'eventfold';

/** Defines something that a decorator refuses. @returns the decorator's error. */
export function decoratorErrorOf(define: () => unknown): DecoratorError {
  try {
    define();
  } catch (error) {
    if (error instanceof DecoratorError) return error;
    throw error;
  }
  throw new Error('No decorator refused it.');
}

/** What a standard decorator of a member is given beside the member. */
export function standardContext(context: object): never {
  return { kind: 'method', name: 'member', static: false, private: false, metadata: {}, ...context } as never;
}
