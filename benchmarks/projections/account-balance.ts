import { type Class, Handles, Projection, ProjectionId, type ProjectionMode } from 'eventfold';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { Deposited, Withdrawn } from './events';

/** The read model of all that is measured here. */
export interface Balance {
  accountId: string;
  balance: number;
}

/**
 * Makes a class of its own for each name, with a table of its own: who is to be measured from an empty table again needs
 * another one.
 */
export function accountBalance(name: string, mode: ProjectionMode = 'async'): Class<Balance> {
  @Entity({ name })
  @Projection({ name, mode })
  class AccountBalance implements Balance {
    @ProjectionId() @PrimaryColumn('text') accountId!: string;
    @Column('integer') balance = 0;

    @Handles(Deposited)
    deposited(event: Deposited) {
      this.balance += event.amount;
    }

    @Handles(Withdrawn)
    withdrawn(event: Withdrawn) {
      this.balance -= event.amount;
    }
  }
  return Object.defineProperty(AccountBalance, 'name', { value: name });
}
