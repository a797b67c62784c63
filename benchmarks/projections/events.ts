import { createEvent, Event } from 'eventfold';

@Event('account.deposited')
export class Deposited {
  accountId!: string;
  amount!: number;
  currency!: string;
  note!: string;
}

@Event('account.withdrawn')
export class Withdrawn {
  accountId!: string;
  amount!: number;
  currency!: string;
  note!: string;
}

/** An event as an application has it in its hands. */
export function deposit(accountId: string, amount: number): Deposited {
  return createEvent(Deposited, { accountId, amount, currency: 'EUR', note: 'salary of the month' });
}
