import { randomUUID } from 'node:crypto';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Headers,
  HttpCode,
  Injectable,
  Module,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Query,
  Sse,
  UseGuards,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { type AggregateRepository, EventSourcing, InMemoryEventStore, type ProjectionReader } from 'eventfold';
import { etagOf, requireMatch } from 'eventfold/http';
import {
  Consistent,
  EventSourcingExceptionFilter,
  EventSourcingHealthIndicator,
  EventSourcingModule,
  getEventSourcingToken,
  InjectAggregates,
  InjectEventSourcing,
  InjectProjection,
  messageEvents,
  RequestContextInterceptor,
} from 'eventfold/nestjs';
import { Account, AccountBalance, InsufficientFunds } from '../../../samples/bank/account';
import { messagesOf, next } from '../../controls/web-servers';

/** Finds out who asks, as guards do. */
@Injectable()
class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ user?: string; headers: Record<string, string | undefined> }>();
    if (request.headers['x-user'] !== undefined) request.user = request.headers['x-user'];
    return true;
  }
}

@Controller('accounts')
@UseGuards(Guard)
class AccountsController {
  constructor(
    private readonly es: EventSourcing,
    @InjectEventSourcing('audit') private readonly audit: EventSourcing,
    @InjectAggregates(Account) private readonly accounts: AggregateRepository<Account>,
    @InjectProjection(AccountBalance) private readonly balances: ProjectionReader<AccountBalance>,
  ) {}

  @Post(':accountId/deposit')
  @HttpCode(200)
  async deposit(
    @Param('accountId') accountId: string,
    @Body() { amount }: { amount: number },
    @Headers('if-match') tag?: string,
  ) {
    const account = await this.accounts.loadOrCreate({ accountId });
    requireMatch(account, tag, { missing: 'allow' });
    await account.deposit(amount);
    return { etag: etagOf(account) };
  }

  @Post(':accountId/audited')
  @HttpCode(200)
  async audited(@Param('accountId') accountId: string) {
    await (await this.audit.loadOrCreate(Account, { accountId })).deposit(1);
    return {};
  }

  @Get(':accountId')
  @Consistent(AccountBalance, { timeoutMs: 2_000 })
  balance(@Param('accountId') accountId: string) {
    return this.balances.get({ accountId });
  }

  @Get(':accountId/audit')
  @Consistent(AccountBalance, { instance: 'audit', header: 'Audit-Position' })
  audits(@Param('accountId') accountId: string) {
    return this.audit.projections.get(AccountBalance, { accountId });
  }

  @Sse(':accountId/live')
  live(@Param('accountId') accountId: string, @Headers('last-event-id') lastEventId?: string) {
    return messageEvents(this.es, AccountBalance, { ids: { accountId }, lastEventId });
  }

  @Sse()
  changes(@Headers('last-event-id') lastEventId?: string) {
    return messageEvents(this.es, AccountBalance, { lastEventId, heartbeatMs: 10 });
  }

  @Get('fail/:how')
  fail(@Param('how') how: string, @Query('page', new ParseIntPipe({ optional: true })) _page?: number) {
    if (how === 'http') throw new NotFoundException('No such page.');
    if (how === 'list') throw new NotFoundException(['one', 'two']);
    if (how === 'funds') throw new InsufficientFunds('a', 5, 1);
    throw new Error('SELECT secret FROM vault');
  }
}

@Controller('health')
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly events: EventSourcingHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([
      () => this.events.isHealthy('events'),
      () => this.events.isHealthy('audit', { instance: 'audit' }),
    ]);
  }
}

const stores = { main: new InMemoryEventStore(), audit: new InMemoryEventStore() };

@Module({
  imports: [
    EventSourcingModule.forRootAsync({ useFactory: () => ({ store: stores.main }) }),
    EventSourcingModule.forRootAsync({ name: 'audit', useFactory: () => ({ store: stores.audit }) }),
    EventSourcingModule.forFeature([Account, AccountBalance]),
    EventSourcingModule.forFeature([Account, AccountBalance], 'audit'),
    TerminusModule.forRoot({ logger: false }),
  ],
  controllers: [AccountsController, HealthController],
  providers: [
    EventSourcingHealthIndicator,
    {
      provide: APP_INTERCEPTOR,
      inject: [getEventSourcingToken()],
      useFactory: (es: EventSourcing) =>
        new RequestContextInterceptor(es, { user: (request: { readonly user?: string }) => request.user }),
    },
    {
      provide: APP_INTERCEPTOR,
      inject: [getEventSourcingToken('audit')],
      useFactory: (es: EventSourcing) => new RequestContextInterceptor(es, { header: 'Audit-Position' }),
    },
    {
      provide: APP_FILTER,
      useValue: new EventSourcingExceptionFilter({
        describe: (error) => (error instanceof InsufficientFunds ? { status: 422, balance: error.balance } : undefined),
      }),
    },
  ],
})
class BankModule {}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('eventfold/nestjs over HTTP (%s)', (_name, adapter) => {
  let app: { close(): Promise<void>; getUrl(): Promise<string>; get: <T>(token: unknown) => T };
  let url: string;
  let es: EventSourcing;
  const accountId = randomUUID();

  beforeEach(async () => {
    stores.main = new InMemoryEventStore();
    stores.audit = new InMemoryEventStore();
    const moduleRef = await Test.createTestingModule({ imports: [BankModule] }).compile();
    const made = moduleRef.createNestApplication(adapter() as ExpressAdapter, { logger: false, forceCloseConnections: true });
    await made.listen(0, '127.0.0.1');
    app = made as unknown as typeof app;
    url = await app.getUrl();
    es = app.get(EventSourcing);
  });

  afterEach(() => app.close());

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const problem = async (response: Response) => {
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(text).not.toMatch(/SELECT|secret|at .*\.js/);
    return { ...(JSON.parse(text) as Record<string, unknown>), http: response.status };
  };

  it('has events know who asked, and of the request, after the guards', async () => {
    const response = await post(`/accounts/${accountId}/deposit`, { amount: 5 }, { 'x-user': 'ada', 'x-correlation-id': 'c-7' });
    expect(response.headers.get('x-correlation-id')).toBe('c-7');
    for await (const { metadata } of stores.main.read({}))
      expect(metadata).toStrictEqual({ correlationId: 'c-7', user: 'ada', causationId: expect.any(String) });
    expect(response.headers.get('eventfold-position')).toBe(await stores.main.head());
    expect(response.headers.get('audit-position')).toBeNull();
  });

  it('waits, where @Consistent() is, for what the client has written', async () => {
    for (let round = 1; round <= 5; round += 1) {
      const written = await post(`/accounts/${accountId}/deposit`, { amount: 1 });
      const position = written.headers.get('eventfold-position') as string;
      const read = await fetch(`${url}/accounts/${accountId}`, { headers: { 'eventfold-position': position } });
      expect(await read.json()).toMatchObject({ balance: round });
    }
    await es.projections.pause(AccountBalance);
    const written = await post(`/accounts/${accountId}/deposit`, { amount: 1 });
    const position = written.headers.get('eventfold-position') as string;
    const late = await fetch(`${url}/accounts/${accountId}`, { headers: { 'eventfold-position': position } });
    expect(late.headers.get('retry-after')).toBe('1');
    expect(await problem(late)).toMatchObject({ http: 503, status: 503, code: 'CAUGHT_UP_TIMEOUT' });
    const forged = await fetch(`${url}/accounts/${accountId}`, { headers: { 'eventfold-position': "1' OR 1=1" } });
    expect(await problem(forged)).toMatchObject({ http: 400 });
  });

  it('tells the positions of each instance by a header of its own', async () => {
    const written = await post(`/accounts/${accountId}/audited`, {});
    expect(written.headers.get('eventfold-position')).toBeNull();
    const position = written.headers.get('audit-position') as string;
    expect(position).toBe(await stores.audit.head());
    const read = await fetch(`${url}/accounts/${accountId}/audit`, { headers: { 'audit-position': position } });
    expect(await read.json()).toMatchObject({ balance: 1 });
  });

  it('answers errors with Problem Details: ours, those of Nest, yours, and nothing of others', async () => {
    expect(await problem(await post(`/accounts/${accountId}/deposit`, { amount: -1 }))).toMatchObject({
      http: 400,
      code: 'EVENT_VALIDATION',
      violations: [{ property: 'amount', rule: 'isPositive' }],
    });
    expect(await problem(await post(`/accounts/${accountId}/deposit`, { amount: 1 }, { 'if-match': '"other-1"' }))).toMatchObject(
      {
        http: 412,
      },
    );
    const broken = '{"amount":1,"__proto__":{"isAdmin":true}';
    expect(await problem(await post(`/accounts/${accountId}/deposit`, broken))).toMatchObject({ http: 400, status: 400 });
    expect(await problem(await fetch(`${url}/accounts/fail/http`))).toMatchObject({ http: 404, detail: 'No such page.' });
    expect(await problem(await fetch(`${url}/accounts/fail/list`))).toMatchObject({
      detail: 'one; two',
      messages: ['one', 'two'],
    });
    expect(await problem(await fetch(`${url}/accounts/fail/http?page=x`))).toMatchObject({ http: 400 });
    expect(await problem(await fetch(`${url}/accounts/fail/funds`))).toMatchObject({ http: 422, balance: 1 });
    expect(await problem(await fetch(`${url}/nowhere`))).toMatchObject({ http: 404, title: 'Not Found' });
    expect(await problem(await fetch(`${url}/accounts/fail/else`))).toStrictEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      http: 500,
    });
    expect(await stores.main.head()).toBeUndefined();
  });

  it('lets @Sse() tell of a projection, with positions as ids', async () => {
    const gone = new AbortController();
    const empty = messagesOf(await fetch(`${url}/accounts/${accountId}/live`, { signal: gone.signal }));
    expect(await next(empty)).toStrictEqual({ id: '0', data: null });
    await post(`/accounts/${accountId}/deposit`, { amount: 5 });
    const message = await next(empty);
    expect(message).toMatchObject({ id: await stores.main.head(), data: { balance: 5 } });
    gone.abort();
    const other = new AbortController();
    const headers = { 'last-event-id': message.id as string };
    await post(`/accounts/${randomUUID()}/deposit`, { amount: 7 });
    const changes = messagesOf(await fetch(`${url}/accounts`, { headers, signal: other.signal }));
    let change = await next(changes);
    while (change.data === undefined) change = await next(changes);
    expect(change).toMatchObject({ id: await stores.main.head(), data: { balance: 7 } });
    expect(await next(changes)).toStrictEqual({ id: change.id });
    other.abort();
  });

  it('tells Terminus how each instance does', async () => {
    const well = await fetch(`${url}/health`);
    expect([well.status, await well.json()]).toMatchObject([
      200,
      { status: 'ok', info: { events: { status: 'up', store: { isReachable: true } }, audit: { status: 'up' } } },
    ]);
    await es.close();
    const unwell = await fetch(`${url}/health`);
    expect([unwell.status, unwell.headers.get('content-type'), await unwell.json()]).toMatchObject([
      503,
      'application/problem+json',
      {
        status: 503,
        title: 'Service Unavailable',
        info: { audit: { status: 'up' } },
        error: { events: { status: 'down', store: { isReachable: false } } },
      },
    ]);
  });
});
