import { Type } from 'class-transformer';
import { IsInt, IsString, ValidateNested } from 'class-validator';
import {
  Aggregate,
  AggregateRoot,
  Event,
  type EvolutionOptions,
  Handles,
  InvalidArgumentError,
  Projection,
  ProjectionId,
  Registry,
} from 'eventfold';
import { Account, AccountBalance } from '../../samples/bank/account';
import { upcasters } from '../../samples/bank/upcasters';
import { judgeAsyncApi } from '../controls/async-api';

class Line {
  @IsString() sku!: string;
  @ValidateNested({ each: true }) @Type(() => Line) parts!: Line[];
}

@Event('an odd name / with "quotes" #1')
class Odd {
  @IsInt() count!: number;
  @ValidateNested() @Type(() => Line) line!: Line;
}

@Event('an odd name / with "quotes" _1')
class AlsoOdd {
  orderId!: string;
}

@Aggregate()
class Order extends AggregateRoot<'orderId'> {
  @ProjectionId() readonly orderId!: string;

  @Handles(AlsoOdd)
  protected first() {}
}

@Projection({ mode: 'live' })
class Odds {
  @Handles(Odd)
  odd() {}

  @Handles(AlsoOdd)
  alsoOdd() {}
}

const info = { title: 'Bank', version: '1.2.3' };

describe('Registry.toAsyncApi', () => {
  it('has a channel with a message for each event, and an operation for each class that handles it', () => {
    const { asyncapi, channels, operations, components } = Registry.of([Account, AccountBalance]).toAsyncApi(info);
    expect(asyncapi).toBe('3.0.0');
    expect(Object.keys(channels)).toStrictEqual(['account.deposited', 'account.opened', 'account.transferred']);
    expect(operations['AccountBalance.account.transferred']).toStrictEqual({
      action: 'receive',
      channel: { $ref: '#/channels/account.transferred' },
      messages: [{ $ref: '#/channels/account.transferred/messages/account.transferred' }],
      title: 'AccountBalance handles account.transferred',
      'x-kind': 'async',
      'x-methods': ['sent', 'received'],
    });
    expect(components.schemas['account.deposited']).toStrictEqual({
      title: 'Deposited',
      type: 'object',
      properties: { accountId: { type: 'string', format: 'uuid' }, amount: { type: 'integer', exclusiveMinimum: 0 } },
      required: ['accountId', 'amount'],
    });
  });

  it('tells what events are read from, and what is read as nothing', () => {
    const registry = Registry.of([Account, AccountBalance], () => [], { upcasters, passOver: ['account.shown'] });
    const { components, info: described } = registry.toAsyncApi(info);
    expect(components.messages['account.transferred']).toMatchObject({
      'x-schema-version': 3,
      'x-aliases': ['MoneySent'],
      'x-read-from': [
        { name: 'account.transferred', 'x-schema-version': 1, 'x-upcaster': 'Amounts.asNumber' },
        { name: 'account.transferred', 'x-schema-version': 2, 'x-upcaster': 'Amounts.inCents' },
      ],
    });
    expect(components.messages['account.opened']).toMatchObject({ 'x-read-from': [{ name: 'AccountOpened' }] });
    expect(described['x-not-read']).toStrictEqual([
      { name: 'StatementPrinted', 'x-schema-version': 1 },
      { name: 'account.shown' },
    ]);
  });

  it.each<[string, readonly unknown[], EvolutionOptions]>([
    ['the bank', [Account, AccountBalance], { upcasters, passOver: ['account.shown'] }],
    ['odd names, nested and recursive data', [Order, Odds], {}],
    ['nothing', [], {}],
  ])('is valid for %s', (_, classes, evolution) => {
    expect(judgeAsyncApi(Registry.of(classes, () => [], evolution).toAsyncApi(info))).toStrictEqual([]);
  });

  it('keeps apart events whose names come to one key', () => {
    const { channels } = Registry.of([Order, Odds]).toAsyncApi(info);
    expect(Object.values(channels)).toEqual([
      expect.objectContaining({ address: 'an odd name / with "quotes" #1' }),
      expect.objectContaining({ address: 'an odd name / with "quotes" _1' }),
    ]);
  });

  it.each([[undefined], [{}], [{ title: 'Bank' }], [{ title: '', version: '1' }], [{ title: 'Bank', version: 1 }]])(
    'refuses %p for the title and version',
    (given) => {
      expect(() => Registry.of([Account]).toAsyncApi(given as never)).toThrow(InvalidArgumentError);
    },
  );
});
