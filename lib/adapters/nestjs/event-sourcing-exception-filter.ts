import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Logger, Optional } from '@nestjs/common';
import { isPassing, type ProblemDescription, type ProblemOptions } from '../../http/problem';
import { answerProblem, reportedProblem } from '../../http/problem-response';

/** What the exception filter of the application's container takes, where one is provided. */
export const problemOptionsToken = Symbol.for('eventfold:nestjs:problem-options');

/** The part of a reply of Fastify that is used here. */
interface Reply {
  readonly raw: ServerResponse;
  status(status: number): { headers(headers: object): { send(body: Buffer): unknown } };
}

/**
 * Answers errors with Problem Details, on Express and on Fastify: those of Eventfold, `HttpException`s with what they say, and
 * what you describe. Of others nothing is told; they are logged.
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

  catch(error: unknown, host: ArgumentsHost): void {
    if (host.getType() !== 'http') throw error;
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

  private log(error: unknown): void {
    if (isPassing(error)) this.logger.warn(error.message);
    else this.logger.error(textOf(error));
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What an exception of Nest says, its pipes included. */
function descriptionOf(error: unknown): ProblemDescription | undefined {
  if (!(error instanceof HttpException)) return undefined;
  const status = error.getStatus();
  const response = error.getResponse();
  const said: unknown = typeof response === 'string' ? response : (response as { message?: unknown }).message;
  if (status >= 500 || said === undefined) return { status };
  if (Array.isArray(said)) return { status, detail: said.map(String).join('; '), messages: said.map(String) };
  return { status, detail: String(said) };
}
