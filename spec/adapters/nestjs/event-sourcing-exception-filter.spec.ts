import { type ArgumentsHost, Logger, NotFoundException } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { AggregateNotFoundError } from 'eventfold';
import { EventSourcingExceptionFilter } from 'eventfold/nestjs';
import { lastValueFrom, type Observable } from 'rxjs';
import { QueryFailedError } from 'typeorm';

/** As an `RpcException` and a `WsException`. */
class Told extends Error {
  constructor(private readonly said: string | object) {
    super();
  }

  getError(): string | object {
    return this.said;
  }
}

const failed = new QueryFailedError('SELECT secret', [7], new Error('no such table'));
const bare = { type: 'about:blank', title: 'Internal Server Error', status: 500 };
const notFound = { type: 'about:blank', title: 'Not Found', status: 404 };

const expected: [error: unknown, told: object][] = [
  [failed, bare],
  ['secret', bare],
  [
    new AggregateNotFoundError('Account', { accountId: 'secret' }),
    { ...notFound, detail: 'There is no such Account.', code: 'AGGREGATE_NOT_FOUND' },
  ],
  [new NotFoundException('No such page.'), { ...notFound, detail: 'No such page.' }],
  [new Told('Not now.'), { status: 'error', message: 'Not now.' }],
  [new Told({ reason: 7 }), { reason: 7 }],
];

describe('EventSourcingExceptionFilter', () => {
  const filter = new EventSourcingExceptionFilter();

  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['error', 'warn']));

  function hostOf(transport: string, ...args: unknown[]): ArgumentsHost {
    const host = new ExecutionContextHost(args);
    host.setType(transport);
    return host;
  }

  it.each(expected)('tells who sent a message to a microservice of %p what a client may know', async (error, told) => {
    const answer = filter.catch(error, hostOf('rpc', {}, {})) as Observable<never>;
    await expect(lastValueFrom(answer)).rejects.toStrictEqual(told);
  });

  it.each(expected)('tells who sent one to a gateway of %p the same, and does not throw', (error, told) => {
    const emitted: unknown[] = [];
    filter.catch(error, hostOf('ws', { emit: (...given: unknown[]) => emitted.push(given) }, {}));
    expect(emitted).toStrictEqual([['exception', told]]);
  });

  it('leaves errors of GraphQL to it', () => {
    expect(() => filter.catch(failed, hostOf('graphql'))).toThrow(failed);
  });
});
