import { AsyncResource } from 'node:async_hooks';
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import type { EventSourcing } from '../../event-sourcing';
import type { ProblemOptions } from '../../http/problem';
import { type RequestOptions, runInRequest } from '../../http/run-in-request';
import { problemHandler } from './problem-handler';

/** What the plugin is registered with. */
export interface EventfoldPluginOptions extends RequestOptions<FastifyRequest> {
  readonly es: EventSourcing;
  /** How errors are answered. */
  readonly problems?: ProblemOptions | undefined;
}

/** The scope of each request. The parser of its body loses it, as the body comes from the connection. */
const scopes = new WeakMap<object, AsyncResource>();

/**
 * Has every event that a request leads to know of it, tells in the response's `Eventfold-Position` what was stored, and answers
 * errors with Problem Details. It holds for all routes of the instance that it is registered in.
 *
 * @example
 * ```ts
 * await app.register(eventfoldPlugin, { es, user: (request) => request.headers['x-user'] });
 * ```
 */
export const eventfoldPlugin: FastifyPluginCallback<EventfoldPluginOptions> = (app, { es, problems, ...context }, done) => {
  app.addHook('onRequest', (request, reply, next) => {
    const ofRequest = forRequest(context, request);
    runInRequest(es, { request: request.raw, response: reply.raw }, ofRequest, () => {
      scopes.set(request, new AsyncResource('EventfoldRequest'));
      next();
    });
  });
  app.addHook('preValidation', (request, _reply, next) => {
    const scope = scopes.get(request);
    if (scope === undefined) next();
    else scope.runInAsyncScope(next);
  });
  app.setErrorHandler(problemHandler(problems));
  done();
};

/** What the plugin adds is meant for those who register it. */
Object.assign(eventfoldPlugin, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'eventfold' });

function forRequest({ user, tenant, metadata, header }: RequestOptions<FastifyRequest>, request: FastifyRequest): RequestOptions {
  return {
    header,
    user: () => user?.(request),
    tenant: () => tenant?.(request),
    metadata: () => metadata?.(request),
  };
}
