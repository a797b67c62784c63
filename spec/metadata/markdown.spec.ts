import { Type } from 'class-transformer';
import { IsIn, IsOptional, IsString, ValidateNested } from 'class-validator';
import { Event, Registry } from 'eventfold';
import { Account, AccountBalance } from '../../samples/bank/account';
import { upcasters } from '../../samples/bank/upcasters';

class Line {
  @IsString() sku!: string;
}

@Event('order|<b>placed</b>')
class Placed {
  @IsIn(['a|b', '`']) kind!: string;
  @IsOptional() @IsString() note?: string;
  @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
  @Type(() => Date) byPort!: Map<string, Date>;
}

@Event('nothing.said')
class Nothing {}

describe('Registry.toMarkdown', () => {
  const page = Registry.of([Account, AccountBalance]).toMarkdown('Bank');

  it('has the diagram, and each event with what it holds and who handles it', () => {
    expect(page).toMatch(/^# Bank\n\n```mermaid\nflowchart LR\n/);
    expect(page).toContain(
      [
        '### account.deposited',
        '',
        'Class `Deposited`, version 2. Handled by `Account`, `AccountBalance`.',
        '',
        '| property | type | required | rules |',
        '| --- | --- | --- | --- |',
        '| `accountId` | string | yes | format `"uuid"` |',
        '| `amount` | integer | yes | exclusiveMinimum `0` |',
        '',
      ].join('\n'),
    );
  });

  it('has other names of events, and what each earlier version is read as', () => {
    const evolution = { upcasters, passOver: ['account|shown'] };
    const { 1: former = '' } = Registry.of([Account], () => [], evolution)
      .toMarkdown()
      .split('## Earlier versions\n\n');
    expect(page).toContain('Class `Transferred`, version 3. Also stored as `MoneySent`. Handled by `Account`, `AccountBalance`.');
    expect(page).not.toContain('## Earlier versions');
    expect(former.split('\n')).toEqual(
      expect.arrayContaining([
        '| stored as | version | read as | by |',
        '| `account.transferred` | 1 | `account.transferred` 2 | `Amounts.asNumber` |',
        '| `AccountOpened` | 1 | `account.opened` 1, `account.deposited` 1 | `upcasts("AccountOpened", from 1)` |',
        '| `StatementPrinted` | 1 | nothing | `upcasts("StatementPrinted", from 1)` |',
        '| `account\\|shown` | any | nothing | passed over |',
      ]),
    );
  });

  it('has each aggregate and projection', () => {
    const events = '`account.opened`, `account.deposited`, `account.transferred`';
    expect(page).toContain(
      `| \`Account\` | \`Account\` | \`accountId\` | boundary | ${events} | \`open\`, \`deposit\`, \`transfer\` |`,
    );
    expect(page).toContain(`| \`AccountBalance\` | \`AccountBalance\` | \`accountId\` | async | ${events} |`);
  });

  it('has nested data in a table of its own, and no names that would be Markdown or HTML', () => {
    const lines = Registry.of([Placed]).toMarkdown().split('\n');
    expect(lines).toContain('### order\\|\\<b\\>placed\\</b\\>');
    expect(lines).toContain('| `kind` | string | yes | enum `` ["a\\|b","`"] `` |');
    expect(lines).toContain('| `note` | string or null |  |  |');
    expect(lines).toContain('| `lines` | list of `Line` | yes |  |');
    expect(lines).toContain('| `byPort` | list of pair of string or number or boolean or null and string |  |  |');
    expect(lines).toContain('`Line`:');
  });

  it('says of an event without data that it has none', () => {
    expect(Registry.of([Nothing]).toMarkdown()).toContain(
      '### nothing.said\n\nClass `Nothing`, version 1. Handled by nobody.\n\nIt holds no data.\n',
    );
  });
});
