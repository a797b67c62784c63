import type { IncomingMessage } from 'node:http';
import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { from, type Observable, switchMap } from 'rxjs';
import type { EventSourcing } from '../../event-sourcing';
import { type ReadYourWritesOptions, waitForOwnWrites } from '../../http/read-your-writes';
import { getEventSourcingToken } from './tokens';

/** Whom a route waits for. */
export interface ConsistentOptions extends Omit<ReadYourWritesOptions, 'projections'> {
  /** The name of the instance; the default one unless given. */
  readonly instance?: string | undefined;
}

/** What {@link Consistent} keeps of a route, or of a controller. */
export type ConsistencyMetadata = ConsistentOptions & Pick<ReadYourWritesOptions, 'projections'>;

/** Where {@link ConsistencyMetadata} is kept. */
export const consistencyKey = 'eventfold:nestjs:consistent';

/** Waits, before a route is handled that `@Consistent()` decorates, until projections show what the client has written. */
@Injectable()
export class ConsistencyInterceptor implements NestInterceptor {
  constructor(
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const wanted = this.reflector.getAllAndOverride<ConsistencyMetadata | undefined>(consistencyKey, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (wanted === undefined || context.getType() !== 'http') return next.handle();
    const { instance, ...options } = wanted;
    const es = this.moduleRef.get<EventSourcing>(getEventSourcingToken(instance), { strict: false });
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    return from(waitForOwnWrites(es, headers, options)).pipe(switchMap(() => next.handle()));
  }
}
