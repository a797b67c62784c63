import type { Class } from '../../events/event-class';
import { type IdValue, identityOf } from '../../metadata/identity';
import { DocumentCodec } from '../../projections/folding/document-codec';
import type { InstanceId, StateDefinition, StateKind } from '../../store/projection-store';

/** What the rules keep: any class with these properties will do, also one with a table of its own. */
export interface Tally {
  id: string;
  total: number;
  note: string | null;
}

/** The class that is kept unless another is given. */
export class TallyDocument implements Tally {
  id!: string;
  total = 0;
  note: string | null = null;
}

/** Which projection is defined. */
export interface Defined {
  readonly projection: string;
  /** A class whose constructor takes no arguments. */
  readonly target: Class;
  readonly kind: StateKind;
  /** The names of its ids, which are properties of `target`. */
  readonly ids: readonly string[];
}

/** @returns the definition of a projection whose state is an instance of `target`. */
export function definitionOf({ projection, target, kind, ids }: Defined): StateDefinition {
  const codec = new DocumentCodec({ name: projection, target, ids });
  const make = target as new () => Record<string, IdValue>;
  const create = ({ values }: InstanceId) =>
    Object.assign(new make(), Object.fromEntries(ids.map((id, index) => [id, values[index]])));
  const idOf = (state: object) => identityOf(ids.map((id) => (state as Record<string, IdValue>)[id] as IdValue));
  const encode = (state: object) => codec.encode(state, create(idOf(state)));
  const decode = (id: InstanceId, text: string) => codec.decode(create(id), text);
  return { projection, target, kind, ids, create, idOf, encode, decode };
}
