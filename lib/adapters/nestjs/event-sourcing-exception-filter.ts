import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
  Logger,
  Optional,
  ServiceUnavailableException,
} from '@nestjs/common';
import { throwError } from 'rxjs';
import { isPassing, type ProblemDescription, type ProblemOptions, problemOf } from '../../http/problem';
import { answerProblem, reportedProblem } from '../../http/problem-response';

/** What the exception filter of the application's container takes, where one is provided. */
export const problemOptionsToken = Symbol.for('eventfold:nestjs:problem-options');

/** The part of a reply of Fastify that is used here. */
interface Reply {
  readonly raw: ServerResponse;
  status(status: number): { headers(headers: object): { send(body: Buffer): unknown } };
}

/** What the exception of a health check holds. */
interface HealthResult {
  readonly status: unknown;
  readonly info: unknown;
  readonly error: unknown;
  readonly details: unknown;
}

/** A client of a gateway. */
interface Listener {
  emit(event: string, data: unknown): unknown;
}

/**
 * Answers errors with Problem Details, on Express and on Fastify: those of Eventfold, `HttpException`s with what they say, and
 * what you describe. Of others nothing is told; they are logged. Handlers of messages are answered with the same, as data; those of
 * microservices and gateways keep what an `RpcException` or a `WsException` says. Errors of GraphQL are left to it.
 *
 * @example
 * ```ts
 * { provide: APP_FILTER, useClass: EventSourcingExceptionFilter }
 * { provide: APP_FILTER, useValue: new EventSourcingExceptionFilter({ describe: (error) => (error instanceof SoldOut ? 409 : undefined) }) }
 * ```
 */
@Catch()
export class EventSourcingExceptionFilter implements ExceptionFilter {
  private readonly logger = new Logger(EventSourcingExceptionFilter.name);
  private readonly options: ProblemOptions;

  constructor(@Optional() @Inject(problemOptionsToken) options?: ProblemOptions) {
    const { describe, types } = options ?? {};
    this.options = { types, describe: (error) => describe?.(error) ?? descriptionOf(error) };
  }

  catch(error: unknown, host: ArgumentsHost): unknown {
    const transport = host.getType<string>();
    if (transport === 'http') return this.answer(error, host);
    // Nest answers a message with nothing when a filter throws, and ends the process where it came through a gateway.
    if (transport === 'rpc') return throwError(() => this.told(error));
    if (transport !== 'ws') throw error;
    return host.switchToWs().getClient<Listener>().emit('exception', this.told(error));
  }

  private answer(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<IncomingMessage>();
    const response = http.getResponse<ServerResponse | Reply>();
    const options = { ...this.options, report: (reported: unknown) => this.log(reported) };
    if (!('raw' in response)) {
      answerProblem(error, { request, response }, options);
      return;
    }
    const { status, headers, body } = reportedProblem(error, request, options);
    // What is sent cannot be taken back; a client must not take half of it for the whole.
    if (response.raw.headersSent) response.raw.destroy();
    else
      response
        .status(status)
        .headers(headers)
        .send(Buffer.from(JSON.stringify(body)));
  }

  /** @returns what who sent a message is told. */
  private told(error: unknown): object {
    if (isOfTransport(error)) {
      const said = error.getError();
      return typeof said === 'object' ? said : { status: 'error', message: said };
    }
    const problem = problemOf(error, this.options);
    if (problem.status >= 500) this.log(error);
    return problem;
  }

  private log(error: unknown): void {
    // Terminus has logged it.
    if (healthIn(error) !== undefined) return;
    if (isPassing(error)) this.logger.warn(error.message);
    else this.logger.error(textOf(error));
  }
}

/** An `RpcException` or a `WsException`, whose packages may not be there. */
function isOfTransport(error: unknown): error is { getError(): string | object } {
  return error instanceof Error && 'getError' in error && typeof error.getError === 'function';
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** @returns what Terminus says, which throws it where something is not well; undefined for other errors. */
function healthIn(error: unknown): Pick<HealthResult, 'info' | 'error' | 'details'> | undefined {
  if (!(error instanceof ServiceUnavailableException)) return undefined;
  const { status, info, error: unwell, details } = error.getResponse() as Partial<HealthResult>;
  if ((status !== 'error' && status !== 'shutting_down') || typeof details !== 'object') return undefined;
  return { info, error: unwell, details };
}

/** What an exception of Nest says, its pipes included. */
function descriptionOf(error: unknown): ProblemDescription | undefined {
  if (!(error instanceof HttpException)) return undefined;
  const status = error.getStatus();
  const response = error.getResponse();
  const health = healthIn(error);
  if (health !== undefined) return { status, ...health };
  const said: unknown = typeof response === 'string' ? response : (response as { message?: unknown }).message;
  if (status >= 500 || said === undefined) return { status };
  if (Array.isArray(said)) return { status, detail: said.map(String).join('; '), messages: said.map(String) };
  return { status, detail: String(said) };
}
