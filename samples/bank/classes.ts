import { Account, AccountBalance } from './account';

export { upcasters } from './upcasters';

/** What the bank consists of: `EventSourcing.open` takes it, and `npx eventfold` looks for it. */
export const classes = [Account, AccountBalance];
