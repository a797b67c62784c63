import { filter, map, type Observable } from 'rxjs';
import { type Class, nameOf } from '../../events/event-class';
import { checkOptions, InvalidArgumentError } from '../../events/invalid-argument-error';
import { givenIdentity, type Identity } from '../../metadata/identity';
import { copyState } from '../../store/copy-state';
import type { EventStore } from '../../store/event-store';
import type { ProjectionStore } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';
import type { RegisteredProjections } from '../registered-projections';
import type { KeptProjection } from '../running/kept-projection';
import type { Ids } from './ids';
import { updatesOfKept, watchKept } from './kept-updates';
import type { Update, UpdatesOptions } from './update';

/** The instances of projections, as people read and follow them. Each call is as the one of `es.projections` of that name. */
export class Instances {
  constructor(
    private readonly projections: RegisteredProjections,
    private readonly store: EventStore,
    private readonly place: ProjectionStore,
  ) {}

  async get<T extends object>(target: Class<T>, ids?: Ids<T>): Promise<T | undefined> {
    const { projections } = this;
    const model = projections.modelOf(target);
    const identity = givenIdentity(model, ids);
    const live = projections.liveOf(model);
    return (await (live === undefined ? this.load(projections.readableOf(model), identity) : live.get(identity))) as
      | T
      | undefined;
  }

  async all<T extends object>(target: Class<T>): Promise<T[]> {
    const { definition } = this.projections.readableOf(this.projections.modelOf(target));
    const all: object[] = [];
    for await (const chunk of this.place.scan(definition, servingOf(definition))) for (const state of chunk) all.push(state);
    return all as T[];
  }

  watch<T extends object>(target: Class<T>, ids?: Ids<T>): Observable<T | undefined> {
    const model = this.projections.modelOf(target);
    const identity = givenIdentity(model, ids);
    const live = this.projections.liveOf(model);
    if (live !== undefined) return live.watch(identity) as Observable<T | undefined>;
    return this.watchKept(this.projections.readableOf(model), identity).pipe(map(({ state }) => state as T | undefined));
  }

  updates<T extends object>(target: Class<T>, options: UpdatesOptions<T>): Observable<Update<T>> {
    const model = this.projections.modelOf(target);
    checkUpdates(options);
    const { ids, edition, maxEvents = 1_000 } = options;
    const live = this.projections.liveOf(model);
    const updates = (): Observable<Update<object>> => {
      if (ids === undefined) {
        const position = options.after === undefined ? undefined : this.store.position(options.after);
        if (live !== undefined) return live.updates(position, maxEvents);
        return updatesOfKept(this.projections.readableOf(model), position && { position, edition }, maxEvents);
      }
      const identity = givenIdentity(model, ids);
      return live?.updatesOf(identity) ?? this.watchKept(this.projections.readableOf(model), identity);
    };
    return updates() as Observable<Update<T>>;
  }

  changes<T extends object>(target: Class<T>): Observable<T> {
    const model = this.projections.modelOf(target);
    const live = this.projections.liveOf(model);
    if (live !== undefined) return live.changes() as Observable<T>;
    return this.projections
      .readableOf(model)
      .changes.all()
      .pipe(
        map(({ state }) => state && (copyState(state) as T)),
        filter((state) => state !== undefined),
      );
  }

  private watchKept(kept: KeptProjection, identity: Identity) {
    return watchKept(kept, identity, () => this.load(kept, identity));
  }

  private async load({ definition }: KeptProjection, identity: Identity): Promise<object | undefined> {
    return (await this.place.load(definition, servingOf(definition), [identity])).get(identity.key);
  }
}

function checkUpdates<T>(options: UpdatesOptions<T>): void {
  checkOptions('updates', options, ['ids', 'after', 'edition', 'maxEvents']);
  const { ids, maxEvents = 0 } = options;
  if (!Number.isSafeInteger(maxEvents) || maxEvents < 0)
    throw new InvalidArgumentError(`updates cannot look at ${nameOf(maxEvents)} events. Give 0 or more.`);
  if (ids !== undefined && options.after !== undefined)
    throw new InvalidArgumentError('updates takes ids or after: of one instance it begins with what there is.');
}

function servingOf({ projection }: ProjectionDefinition): { readonly projection: string; readonly role: 'serving' } {
  return { projection, role: 'serving' };
}
