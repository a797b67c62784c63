import type { Class } from '../events/event-class';
import type { ClassModel } from '../metadata/class-model';
import type { Registry } from '../metadata/registry';
import type { InlineProjection } from './inline/inline-projection';
import { LiveProjectionError, ReactorError } from './projection-errors';
import { LiveProjection } from './reading/live-projection';
import { CustomProjectionError } from './rebuilding/rebuild-errors';
import type { KeptProjection } from './running/kept-projection';

/** The projections and reactors of one `EventSourcing`, found by their classes. */
export class RegisteredProjections {
  private readonly keeping = new Map<ClassModel, KeptProjection>();
  private readonly live = new Map<ClassModel, LiveProjection>();

  constructor(private readonly registry: () => Registry) {}

  /** Those that keep state, or a place in the log. */
  get kept(): KeptProjection[] {
    return [...this.keeping.values()];
  }

  /** What takes part in appends. */
  get inline(): InlineProjection[] {
    return this.kept.flatMap(({ inline }) => inline ?? []);
  }

  /** How many keep state, or a place in the log. */
  get size(): number {
    return this.keeping.size;
  }

  add(projection: KeptProjection | LiveProjection, model: ClassModel): void {
    if (projection instanceof LiveProjection) this.live.set(model, projection);
    else this.keeping.set(model, projection);
  }

  has(model: ClassModel): boolean {
    return this.keeping.has(model) || this.live.has(model);
  }

  /** @throws {@link NotRegisteredError} when the class is no registered projection. */
  modelOf(target: Class): ClassModel {
    return this.registry().modelOf(target, 'projection');
  }

  /** @returns undefined for one that keeps state. */
  liveOf(model: ClassModel): LiveProjection | undefined {
    return this.live.get(model);
  }

  /** @returns undefined for one that keeps nothing. */
  find(model: ClassModel): KeptProjection | undefined {
    return this.keeping.get(model);
  }

  keptOrAll(target: Class | undefined): KeptProjection[] {
    return target === undefined ? this.kept : [this.keptOf(this.modelOf(target))];
  }

  /** @throws {@link LiveProjectionError} where nothing is kept. */
  keptOf(model: ClassModel): KeptProjection {
    const kept = this.keeping.get(model);
    if (kept === undefined) throw new LiveProjectionError(model.name);
    return kept;
  }

  /** @throws {@link ReactorError} where nothing is folded. */
  foldedOf(model: ClassModel): KeptProjection {
    const kept = this.keptOf(model);
    if (!kept.isReactor) return kept;
    const remedy = "To have what is stored handled once more, give it another name, and from: 'start'";
    throw new ReactorError(kept.name, `what it has done cannot be taken back, so it is not rebuilt. ${remedy}`);
  }

  /** @throws {@link CustomProjectionError} or {@link ReactorError} where there is nothing to read. */
  readableOf(model: ClassModel): KeptProjection {
    const kept = this.keptOf(model);
    if (kept.isReactor) throw new ReactorError(kept.name, 'it keeps nothing to read. See es.projections.status()');
    if (kept.definition.kind === 'custom') throw new CustomProjectionError(kept.name, 'read it where its handlers write');
    return kept;
  }
}
