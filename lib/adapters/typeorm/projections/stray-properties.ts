import type { EntityMetadata } from 'typeorm';
import { namesIn } from './entity-column-mistakes';
import { UnfitValueError } from './entity-errors';

/** A part of an instance whose properties are known by name. */
interface Part {
  readonly path: string;
  readonly known: ReadonlySet<string>;
  /** The parts in it, by property. */
  readonly inner: readonly (readonly [property: string, part: Part])[];
}

/** What handlers give to an instance and no column keeps would be gone as soon as the instance is read again. */
export class StrayProperties {
  private readonly whole: Part;
  private readonly className: string;

  constructor(metadata: EntityMetadata) {
    this.className = metadata.name;
    const names = namesIn(metadata);
    const partAt = (path: string): Part => {
      const inner = metadata.allEmbeddeds.filter(({ propertyPath }) => parentOf(propertyPath) === path);
      const parts = inner.map(({ propertyName, propertyPath }) => [propertyName, partAt(propertyPath)] as const);
      return { path, known: new Set([...(names.get(path) ?? []), ...parts.map(([name]) => name)]), inner: parts };
    };
    this.whole = partAt('');
  }

  /** @throws {@link UnfitValueError} when an instance has a property of its own that is no column. */
  refuse(instance: object): void {
    this.refuseIn(this.whole, instance as Record<string, unknown>);
  }

  private refuseIn({ path, known, inner }: Part, owner: Record<string, unknown>): void {
    // Each row comes through here, so nothing is made for it.
    for (const name in owner) if (!known.has(name)) this.refuseStray(owner, name, path);
    for (const [property, part] of inner) {
      const value = owner[property];
      if (typeof value === 'object' && value !== null) this.refuseIn(part, value as Record<string, unknown>);
    }
  }

  private refuseStray(owner: Record<string, unknown>, name: string, path: string): void {
    const value = owner[name];
    if (!Object.hasOwn(owner, name) || value === undefined || typeof value === 'function') return;
    const property = path === '' ? name : `${path}.${name}`;
    throw new UnfitValueError(
      this.className,
      property,
      `was given a value, but is no column and would be forgotten. Put @Column() on "${name}", or compute it in a getter`,
    );
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('.'), 0));
}
