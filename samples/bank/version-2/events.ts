import { IsPositive, IsString, IsUUID } from 'class-validator';
import { Event } from 'eventfold';

// The events of the bank's second year: named, with amounts in euros.

@Event('account.opened')
export class Opened {
  @IsUUID() accountId!: string;
  @IsString() owner!: string;
}

@Event('account.deposited')
export class Deposited {
  @IsUUID() accountId!: string;
  @IsPositive() amount!: number;
}

@Event('account.transferred', { version: 2, aliases: ['MoneySent'] })
export class Transferred {
  @IsUUID() from!: string;
  @IsUUID() to!: string;
  @IsPositive() amount!: number;
}
