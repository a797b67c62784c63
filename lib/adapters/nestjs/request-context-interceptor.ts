import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor, Optional } from '@nestjs/common';
import { Observable } from 'rxjs';
import { EventSourcing } from '../../event-sourcing';
import { type RequestOptions, runInRequest } from '../../http/run-in-request';

/** What the interceptor of the application's container takes, where it is provided. */
export const requestOptionsToken = Symbol.for('eventfold:nestjs:request-options');

/**
 * Has every event that a request leads to know of it, and tells in the response's `Eventfold-Position` what was stored. As an
 * interceptor it comes after guards: who asks is known by then. What is no HTTP request passes.
 *
 * @example
 * ```ts
 * {
 *   provide: APP_INTERCEPTOR,
 *   inject: [getEventSourcingToken()],
 *   useFactory: (es: EventSourcing) => new RequestContextInterceptor(es, { user: (request: RequestWithUser) => request.user?.id }),
 * }
 * ```
 */
@Injectable()
// biome-ignore lint/suspicious/noExplicitAny: the request is of the platform's type, with what guards have added
export class RequestContextInterceptor<R = any> implements NestInterceptor {
  constructor(
    @Inject(EventSourcing) private readonly es: EventSourcing,
    @Optional() @Inject(requestOptionsToken) private readonly options?: RequestOptions<R>,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const http = context.switchToHttp();
    const request = http.getRequest<R>();
    const exchange = { request: rawOf(request as IncomingMessage), response: rawOf(http.getResponse<ServerResponse>()) };
    const { user, tenant, metadata, header } = this.options ?? {};
    const options = {
      header,
      user: () => user?.(request),
      tenant: () => tenant?.(request),
      metadata: () => metadata?.(request),
    };
    // What is called within is where the next handler is bound to its scope.
    return new Observable((subscriber) => runInRequest(this.es, exchange, options, () => next.handle().subscribe(subscriber)));
  }
}

/** @returns Node's own request or response, which Fastify's has. */
function rawOf<T extends object>(given: T): T {
  return 'raw' in given ? (given.raw as T) : given;
}
