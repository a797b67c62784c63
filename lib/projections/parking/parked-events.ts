import { isDeepStrictEqual } from 'node:util';
import { type Class, nameOf } from '../../events/event-class';
import { InvalidArgumentError } from '../../events/invalid-argument-error';
import { givenIdentity } from '../../metadata/identity';
import type { BlockedInstance, ProjectionStore } from '../../store/projection-store';
import { NotParkedError } from '../projection-errors';
import type { RegisteredProjections } from '../registered-projections';
import type { KeptProjection } from '../running/kept-projection';
import { blockedOf, servingRecord } from '../serving-record';
import { type ParkedEvent, parkedIn } from './parked-event';
import { type ResumeOptions, retryInstance, retrySoon, skipEvent } from './resume-instance';

/** Instances that stand still, of one projection. */
interface ParkedInstances {
  readonly kept: KeptProjection;
  readonly instances: readonly BlockedInstance[];
}

/** What projections and reactors stand still at, and what people do about it. */
export class ParkedEvents {
  private readonly place: ProjectionStore;

  constructor(
    private readonly projections: RegisteredProjections,
    private readonly options: Pick<ResumeOptions, 'place' | 'now' | 'report'>,
  ) {
    this.place = options.place;
  }

  /** @returns the events that are parked, of one projection or of all. */
  async of(target?: Class): Promise<ParkedEvent[]> {
    const parked: ParkedEvent[] = [];
    for (const { definition } of this.projections.keptOrAll(target))
      parked.push(...parkedIn(definition, await blockedOf(definition, this.place)));
    return parked;
  }

  /** Tries them again, each with what waits behind it. @throws {@link NotParkedError}. */
  async retry(target: Class | ParkedEvent, ids?: object): Promise<void> {
    const { kept, instances } = await this.parkedInstances(target, ids, 'all');
    try {
      for (const instance of instances) await this.retryIfParked(kept, instance);
    } finally {
      // Once for all: it reads what stands still.
      kept.runner?.refresh();
    }
  }

  /** Leaves the event out for good, and goes on with what waits behind it. @throws {@link NotParkedError}. */
  async skip(target: Class | ParkedEvent, ids?: object): Promise<void> {
    const { kept, instances } = await this.parkedInstances(target, ids, 'unrouted');
    try {
      for (const instance of instances) {
        await this.settle(kept, instance, skipEvent);
        const next = (await blockedOf(kept.definition, this.place)).find(({ key }) => key === instance.key);
        if (next !== undefined) await this.retryIfParked(kept, next);
      }
    } finally {
      kept.runner?.refresh();
    }
  }

  private async retryIfParked(kept: KeptProjection, instance: BlockedInstance): Promise<void> {
    try {
      await this.settle(kept, instance, kept.isReactor ? retrySoon : retryInstance);
    } catch (error) {
      // Whoever else retries it, or runs the projection, may be quicker.
      if (!(error instanceof NotParkedError)) throw error;
    }
  }

  /** Does something about an instance that stands still, as often as others change the projection at the same time. */
  private async settle(
    kept: KeptProjection,
    instance: BlockedInstance,
    how: (instance: BlockedInstance, options: ResumeOptions) => Promise<boolean>,
  ): Promise<void> {
    for (;;) {
      const record = await servingRecord(kept.definition, this.place);
      if (record === undefined) throw new NotParkedError(kept.name, kept.definition.idsOf(instance.values));
      if (await how(instance, { ...this.options, definition: kept.definition, record })) return;
    }
  }

  /** Finds the instance that stands still at an event, as it was told of. */
  private async parkedInstance(parked: ParkedEvent): Promise<ParkedInstances> {
    const kept = this.projections.kept.find(({ name }) => name === parked?.projection);
    if (kept === undefined || parked.event === undefined)
      throw new InvalidArgumentError(
        `A projection class, or an event that es.projections.parked() gave, is wanted; not ${nameOf(parked)}.`,
      );
    const { definition } = kept;
    const instances = (await blockedOf(definition, this.place)).filter(
      ({ event, values, failure }) =>
        failure.retryAt === undefined && event.id === parked.event.id && isDeepStrictEqual(definition.idsOf(values), parked.ids),
    );
    if (instances.length === 0) throw new NotParkedError(kept.name, parked.ids);
    return { kept, instances };
  }

  /** @param left Which instances are meant when `ids` is left out. */
  private async parkedInstances(
    target: Class | ParkedEvent,
    ids: object | undefined,
    left: 'all' | 'unrouted',
  ): Promise<ParkedInstances> {
    if (typeof target !== 'function') return this.parkedInstance(target);
    const model = this.projections.modelOf(target);
    const kept = this.projections.keptOf(model);
    const blocked = await blockedOf(kept.definition, this.place);
    const parked = blocked.filter(({ failure }) => failure.retryAt === undefined);
    if (ids === undefined && left === 'all') return { kept, instances: parked };
    const key = ids && givenIdentity(kept.definition.folding, ids).key;
    const instances = parked.filter((instance) => (key === undefined ? instance.values === undefined : instance.key === key));
    if (instances.length === 0) throw new NotParkedError(model.name, ids);
    return { kept, instances };
  }
}
