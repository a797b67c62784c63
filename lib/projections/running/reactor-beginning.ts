import type { EventStore } from '../../store/event-store';
import type { Changes, GenerationRecord, ProjectionStore } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';

/** What a reactor is begun with. */
export interface BeginningOptions {
  readonly store: EventStore;
  readonly place: ProjectionStore;
  warn(message: string): void;
}

/**
 * Has a reactor begin, once for all processes and for good: where it begins is kept before it serves, so that whoever dies in
 * between has begun nothing.
 *
 * @returns what serves.
 */
export async function beginReactor(definition: ProjectionDefinition, options: BeginningOptions): Promise<GenerationRecord> {
  const { place } = options;
  const { projection, folding } = definition;
  const { reactor, version } = folding.options;
  if (reactor?.from === 'start') return place.create(definition, version, 'serving');
  for (;;) {
    const records = await place.records(projection);
    const serving = records.find(({ role }) => role === 'serving');
    const left = records.find(({ role }) => role === 'building');
    // Another process was quicker.
    if (serving !== undefined && left !== undefined) await place.drop(definition, left);
    if (serving !== undefined) return serving;
    const passedOver = await beginNow(definition, options);
    if (passedOver !== undefined && passedOver > 0 && reactor?.from === undefined)
      options.warn(
        `${projection} begins with what is stored from now on. It is not handed the ${passedOver} events that are stored already. If that is meant, say @Reactor({ from: 'now' }); if not, give it another name, and from: 'start'.`,
      );
  }
}

/** @returns how many events of its types were stored before; undefined when another process began it. */
async function beginNow(definition: ProjectionDefinition, { store, place }: BeginningOptions): Promise<number | undefined> {
  const { version } = definition.folding.options;
  const building = await place.create(definition, version, 'building');
  const to = await store.head();
  const at: Changes = { from: building.checkpoint, to, saved: [], removed: [], queued: [], released: [] };
  if (to !== building.checkpoint && !(await place.commit(definition, building, at))) return undefined;
  if (!(await place.promote(definition, { ...building, checkpoint: to }, undefined))) return undefined;
  const { types } = definition.folding;
  return (await place.behind(types, undefined)).events - (await place.behind(types, to)).events;
}
