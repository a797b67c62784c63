import type { Class } from '../../events/event-class';
import { type IdValue, identityOf } from '../../metadata/identity';
import type { InstanceId, StateDefinition, StateKind } from '../../store/projection-store';
import { DocumentCodec } from './document-codec';
import type { ProjectionClass } from './projection-class';

/** A projection, as its store has to know it. */
export class ProjectionDefinition implements StateDefinition {
  readonly projection: string;
  readonly target: Class;
  readonly ids: readonly string[];
  private readonly codec: DocumentCodec;

  constructor(
    readonly folding: ProjectionClass,
    readonly kind: StateKind,
  ) {
    this.projection = this.folding.name;
    this.target = this.folding.model.class;
    this.ids = this.folding.ids;
    this.codec = new DocumentCodec({ name: this.projection, target: this.target, ids: this.ids });
  }

  create(id: InstanceId): object {
    return this.folding.create(id);
  }

  encode(state: object): string {
    return this.codec.encode(state, this.folding.create(this.idOf(state)));
  }

  decode(id: InstanceId, text: string): object {
    return this.codec.decode(this.folding.create(id), text);
  }

  /** @returns the ids by name; undefined where no instance is meant. */
  idsOf(values: InstanceId['values'] | undefined): Record<string, unknown> | undefined {
    return values && this.folding.idsOf({ values });
  }

  idOf(state: object): InstanceId {
    return identityOf(this.ids.map((id) => (state as Record<string, IdValue>)[id] as IdValue));
  }
}
