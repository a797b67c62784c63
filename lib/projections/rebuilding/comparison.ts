import { isDeepStrictEqual } from 'node:util';
import type { Position } from '../../events/recorded-event';
import type { EventStore } from '../../store/event-store';
import type { GenerationRecord, InstanceId, ProjectionStore } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { TouchedInstances } from './touched-instances';

/** An instance that a rebuild would change. */
export interface Difference {
  readonly ids: Readonly<Record<string, unknown>>;
  /** As it serves now; undefined where a rebuild would add it. */
  readonly served: object | undefined;
  /** As a rebuild would have it; undefined where it would be gone. */
  readonly rebuilt: object | undefined;
}

/** What a rebuild would change, of all instances. */
export interface ComparisonReport {
  readonly projection: string;
  readonly version: number;
  /** How many are the same. */
  readonly same: number;
  /** How many would be others. */
  readonly differing: number;
  /** How many serve now, and would be gone. */
  readonly missing: number;
  /** How many a rebuild would add. */
  readonly extra: number;
  /** How many could not be compared, as they changed too fast, or what serves has not come as far as what was built. */
  readonly unsettled: number;
  /** Some of those that would change: 20 at most. */
  readonly sample: readonly Difference[];
}

/** What is compared with what. */
export interface ComparisonParts {
  readonly store: EventStore;
  readonly place: ProjectionStore;
  readonly definition: ProjectionDefinition;
  /** What was built, and stands still where it is. */
  readonly building: GenerationRecord;
}

const mostSamples = 20;

/** So many instances are loaded at once. */
const batch = 500;

type Side = 'serving' | 'building';

/**
 * Compares what was built with what serves, which goes on meanwhile. An instance that an event has changed since is not
 * compared at once, but once both have it.
 */
export class Comparison {
  private readonly counts = { same: 0, differing: 0, missing: 0, extra: 0 };
  private readonly sample: Difference[] = [];
  private pending = new Map<string, InstanceId>();

  constructor(private readonly parts: ComparisonParts) {}

  /** Compares what stands still since it was built. @returns how many instances are left to compare. */
  async compareAll(): Promise<number> {
    const { store, definition } = this.parts;
    // What serves may be behind as well as ahead.
    const touched = new TouchedInstances(store, definition, earlier(await this.positions(), store));
    for (const side of ['building', 'serving'] as const)
      for await (const states of this.scan(side)) await this.compare(states, side, touched);
    return this.pending.size;
  }

  /** Compares what was left, as far as nobody has changed it meanwhile. @returns how many are left again. */
  async compareLeft(): Promise<number> {
    const left = [...this.pending.values()];
    this.pending = new Map();
    for (let from = 0; from < left.length; from += batch) await this.compareSome(left.slice(from, from + batch));
    return this.pending.size;
  }

  report(): ComparisonReport {
    const { projection } = this.parts.definition;
    const { version } = this.parts.building;
    return { projection, version, ...this.counts, unsettled: this.pending.size, sample: this.sample };
  }

  private async compare(states: readonly object[], side: Side, touched: TouchedInstances): Promise<void> {
    const { definition } = this.parts;
    const mine = states.map((state): [InstanceId, object] => [definition.idOf(state), state]);
    const others = await this.load(
      side === 'building' ? 'serving' : 'building',
      mine.map(([id]) => id),
    );
    await touched.readTo(later(await this.positions(), this.parts.store));
    for (const [id, state] of mine) {
      const other = others.get(id.key);
      // What is in both was met among those that were built.
      if (side === 'serving' && other !== undefined) continue;
      if (touched.has(id.key)) this.pending.set(id.key, id);
      else if (side === 'building') this.count(id, other, state);
      else this.count(id, state, undefined);
    }
  }

  private async compareSome(ids: readonly InstanceId[]): Promise<void> {
    const before = earlier(await this.positions(), this.parts.store);
    const [served, rebuilt] = [await this.load('serving', ids), await this.load('building', ids)];
    const after = later(await this.positions(), this.parts.store);
    const touched = new TouchedInstances(this.parts.store, this.parts.definition, before);
    await touched.readTo(after);
    for (const id of ids) {
      if (touched.has(id.key)) this.pending.set(id.key, id);
      else this.count(id, served.get(id.key), rebuilt.get(id.key));
    }
  }

  private count(id: InstanceId, served: object | undefined, rebuilt: object | undefined): void {
    if (served === undefined && rebuilt === undefined) return;
    if (served !== undefined && rebuilt !== undefined && this.isSame(served, rebuilt)) {
      this.counts.same += 1;
      return;
    }
    this.counts[served === undefined ? 'extra' : rebuilt === undefined ? 'missing' : 'differing'] += 1;
    if (this.sample.length >= mostSamples) return;
    const ids = this.parts.definition.idsOf(id.values) as Record<string, unknown>;
    this.sample.push({ ids, served, rebuilt });
  }

  private isSame(served: object, rebuilt: object): boolean {
    const { place, definition } = this.parts;
    return place.isSame?.(definition, served, rebuilt) ?? isDeepStrictEqual(served, rebuilt);
  }

  private scan(role: Side): AsyncIterable<readonly object[]> {
    const { place, definition } = this.parts;
    return place.scan(definition, { projection: definition.projection, role });
  }

  private load(role: Side, ids: readonly InstanceId[]): Promise<Map<string, object>> {
    const { place, definition } = this.parts;
    return place.load(definition, { projection: definition.projection, role }, ids);
  }

  /** Where the one that serves is, and the one that was built. */
  private async positions(): Promise<[Position | undefined, Position | undefined]> {
    const records = await this.parts.place.records(this.parts.definition.projection);
    const [serving, building] = (['serving', 'building'] as const).map((role) => records.find((record) => record.role === role));
    return [serving?.checkpoint, building?.checkpoint];
  }
}

function earlier([a, b]: readonly [Position | undefined, Position | undefined], store: EventStore): Position | undefined {
  if (a === undefined || b === undefined) return undefined;
  return store.compare(a, b) <= 0 ? a : b;
}

function later([a, b]: readonly [Position | undefined, Position | undefined], store: EventStore): Position | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return store.compare(a, b) >= 0 ? a : b;
}
