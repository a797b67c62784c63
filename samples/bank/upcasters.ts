import { dropped, Upcasts, upcasts } from 'eventfold';
import { Deposited, Opened, Transferred } from './account';

interface Transfer<Amount> {
  readonly from: string;
  readonly to: string;
  readonly amount: Amount;
}

interface Deposit<Amount> {
  readonly accountId: string;
  readonly amount: Amount;
}

/** Version 2 gave the events names and made amounts numbers; version 3 counts cents. */
class Amounts {
  @Upcasts(Transferred, { from: 1, to: 2 })
  asNumber({ amount, ...transfer }: Transfer<string>) {
    return { ...transfer, amount: Number(amount) };
  }

  @Upcasts(Transferred, { from: 2, to: 3 })
  inCents({ amount, ...transfer }: Transfer<number>) {
    return { ...transfer, amount: cents(amount) };
  }

  @Upcasts(Deposited, { from: 1, to: 2 })
  depositInCents({ amount, ...deposit }: Deposit<number>) {
    return { ...deposit, amount: cents(amount) };
  }
}

/** What was one event is two: an account is opened, and then money comes in. */
const opening = upcasts(
  'AccountOpened',
  {
    from: 1,
    into: [
      { event: Opened, version: 1 },
      { event: Deposited, version: 1 },
    ],
  },
  ({ accountId, name, deposit }: { accountId: string; name: string; deposit: string }) => [
    { event: Opened, data: { accountId, owner: name } },
    { event: Deposited, data: { accountId, amount: Number(deposit) } },
  ],
);

/** What were two events is one: money comes in, by whatever means. */
const paidIn = ['CashPaidIn', 'ChequePaidIn'].map((name) =>
  upcasts(name, { from: 1, to: 1, into: Deposited }, ({ accountId, amount }: Deposit<string>) => ({
    accountId,
    amount: Number(amount),
  })),
);

const printing = upcasts('StatementPrinted', { from: 1, into: [] }, () => dropped('to look at an account does not change it'));

/** From what earlier versions of the bank stored to the events of today; none of it is ever rewritten. */
export const upcasters = [Amounts, opening, ...paidIn, printing];

function cents(euros: number): number {
  return Math.round(euros * 100);
}
