import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Aggregate,
  AggregateRoot,
  CaughtUpTimeoutError,
  Command,
  Event,
  EventSourcing,
  EventSourcingError,
  EventValidationError,
  Handles,
  InMemoryEventStore,
  OptimisticLockError,
  ProjectionId,
} from 'eventfold';
import { isPassing, problemOf, problemResponse, reportedProblem } from 'eventfold/http';

class Coded extends EventSourcingError {
  constructor(override readonly code: string) {
    super('SELECT secret');
  }
}

const page = readFileSync(join(__dirname, '../../../docs/errors.md'), 'utf8');

/** @returns the codes of a family. */
function codes(title: string): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) as string;
  return [...section.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code as string);
}

describe('problemOf', () => {
  const { emitWarning } = process;
  let warnings: unknown[];

  beforeEach(() => {
    warnings = [];
    process.emitWarning = (warning: unknown) => void warnings.push(warning);
  });

  afterEach(() => {
    process.emitWarning = emitWarning;
  });

  it.each(codes('A refusal of the input'))('tells clients of %s, which is a refusal of their input', (code) => {
    const problem = problemOf(new Coded(code));
    expect([400, 404, 409]).toContain(problem.status);
    expect(problem).toMatchObject({ code, type: 'about:blank', detail: expect.any(String) });
  });

  it.each(codes('A mistake in the program'))('tells clients nothing of %s, which is a mistake in the program', (code) => {
    expect(problemOf(new Coded(code))).toStrictEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500 });
  });

  it.each(codes('An outcome of running'))('tells clients no more of %s than what they can do', (code) => {
    const problem = problemOf(new Coded(code));
    expect([409, 412, 428, 500, 503]).toContain(problem.status);
    if (problem.status !== 412 && problem.status !== 428) expect(JSON.stringify(problem)).not.toContain('secret');
    expect(problem.retryAfter).toBe(problem.status === 503 ? 1 : undefined);
  });

  it('keeps the positions of a lost race, and the reasons of a projection that is behind, to itself', () => {
    const lost = new OptimisticLockError('account:7', '12', '34', { type: 'Account', ids: { accountId: 'secret' } });
    expect(problemOf(lost)).toStrictEqual({
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      detail: 'Somebody else changed it at the same time. Read it again, and retry.',
      code: 'OPTIMISTIC_LOCK',
    });
    const late = new CaughtUpTimeoutError(['Balance'], '12', 100, ['Balance has failed: SELECT secret']);
    expect(JSON.stringify(problemOf(late))).not.toMatch(/secret|Balance/);
  });

  it('tells of a refused input in words for who sent it', async () => {
    @Event('slip.written')
    class Written {
      slipId!: string;
      to!: string;
      at?: unknown;
      get length() {
        return 1;
      }
    }

    @Aggregate()
    class Slip extends AggregateRoot<'slipId'> {
      @ProjectionId() readonly slipId!: string;

      @Command()
      async write(data: object) {
        this.emit(Written, data as Written);
      }

      @Handles(Written)
      protected written() {}

      @Handles(Written, { slipId: 'to' })
      protected received() {}
    }

    const es = await EventSourcing.open({ store: new InMemoryEventStore(), classes: [Slip] });
    const slip = await es.create(Slip, { slipId: 'a' });
    const to = 'ann';
    const refusals: [refused: () => unknown, code: string, detail: string][] = [
      [() => es.load(Slip, { slipId: ['a'] } as never), 'INVALID_ID', '"slipId" is missing, or is no valid id.'],
      [() => es.load(Slip, { slipId: '\0' }), 'INVALID_ID', '"slipId" is missing, or is no valid id.'],
      [() => slip.write({ slipId: 'a' }), 'UNRESOLVED_ID', '"to" is missing, or is no valid id.'],
      [() => slip.write([]), 'INVALID_PAYLOAD', 'The data is no object.'],
      [
        () => slip.write(JSON.parse('{"to":"ann","__proto__":{}}')),
        'INVALID_PAYLOAD',
        'The data cannot have the property "__proto__".',
      ],
      [() => slip.write({ to, length: 2 }), 'INVALID_PAYLOAD', 'The data cannot have the property "length".'],
      [() => slip.write({ to, at: new Date(Number.NaN) }), 'UNSTORABLE_PAYLOAD', '"at" cannot be stored: it is an invalid date.'],
      [() => slip.write({ to, slipId: 'b' }), 'FOREIGN_EVENT', 'The data names another one than it was sent for.'],
      [() => es.position('0x1'), 'INVALID_POSITION', 'That is no position of this service.'],
    ];
    for (const [refused, code, detail] of refusals) {
      const error = await Promise.resolve()
        .then(refused)
        .catch((reason: unknown) => reason);
      const { type: _type, title: _title, ...told } = problemOf(error);
      expect(told).toStrictEqual({ status: 400, code, detail });
    }
    await es.close();
  });

  it('gives problems types of yours', () => {
    const violations = [{ property: 'amount', rule: 'isPositive', message: 'amount must be positive' }];
    const error = new EventValidationError('Deposited', violations);
    expect(problemOf(error, { types: 'https://example.org/problems/' })).toStrictEqual({
      type: 'https://example.org/problems/EVENT_VALIDATION',
      title: 'Bad Request',
      status: 400,
      detail: 'Deposited is not valid.',
      code: 'EVENT_VALIDATION',
      violations,
    });
  });

  const faults: [what: string, describe: (error: unknown) => never][] = [
    ['throws', (error) => (error as never)['nothing']['there']],
    ['gives no status', () => ({ status: Number.NaN }) as never],
    ['gives one that is none', () => 42 as never],
    ['gives what is no JSON', () => ({ status: 409, cycle: faults }) as never],
  ];
  faults.push(faults as never);

  it.each(faults.slice(0, 4))('is a bare 500 where the description %s', (_what, describe) => {
    expect(problemOf(new Error('secret'), { describe })).toStrictEqual(problemOf(undefined));
    expect(warnings).toStrictEqual([expect.stringMatching(/^describe failed, /)]);
  });

  it('tells a number that JSON has no word for as text', () => {
    expect(problemOf(new Error(), { describe: () => ({ status: 409, balance: 7n }) })).toMatchObject({
      status: 409,
      balance: '7',
    });
  });

  it('is answered also when the report throws', () => {
    const report = () => {
      throw new Error('The log is full.');
    };
    expect(reportedProblem(new Error(), {} as never, { report }).status).toBe(500);
    expect(warnings).toStrictEqual(['report threw: Error: The log is full.']);
  });

  it('believes a status of others only where it is for clients', () => {
    const foreign = (members: object) => problemOf(Object.assign(new Error('secret'), members));
    expect(foreign({ status: 404 }).status).toBe(500);
    expect(foreign({ status: 503, expose: true }).status).toBe(500);
    expect(foreign({ statusCode: '404', expose: true }).status).toBe(500);
    expect(foreign({ status: 404, expose: true })).toMatchObject({ status: 404, detail: 'secret' });
    expect(problemOf({ status: 404, expose: true, message: 'secret' }).status).toBe(500);
    for (const thrown of [undefined, null, 'secret', 404, Symbol('secret'), Object.create(null)])
      expect(problemOf(thrown)).toStrictEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500 });
  });

  it('is of passing where clients are told to try again, and only of errors of Eventfold', () => {
    for (const code of ['CLOSED', 'STORE_CLOSED', 'CAUGHT_UP_TIMEOUT', 'CONNECTION_BUSY'])
      expect([isPassing(new Coded(code)), problemOf(new Coded(code)).retryAfter]).toStrictEqual([true, 1]);
    for (const other of [new Coded('OPTIMISTIC_LOCK'), new Coded('MADE_UP'), new Coded('constructor'), new Error(), null])
      expect(isPassing(other)).toBe(false);
  });

  it('is answered with the media type of problems', () => {
    expect(problemResponse(new Coded('CLOSED')).headers).toStrictEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': '1',
    });
  });
});
