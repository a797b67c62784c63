import { InMemoryGeneration } from './in-memory-generation';
import type { GenerationId, Role, StateDefinition } from './projection-store';

/** All generations of all projections. */
export class InMemoryGenerations {
  private readonly byProjection = new Map<string, readonly InMemoryGeneration[]>();
  private readonly lastNumbers = new Map<string, number>();

  /** @returns them in order of name and generation. */
  all(): InMemoryGeneration[] {
    const names = [...this.byProjection.keys()].sort();
    return names.flatMap((name) => this.of(name));
  }

  of(projection: string): readonly InMemoryGeneration[] {
    return this.byProjection.get(projection) ?? [];
  }

  find({ projection, generation }: GenerationId): InMemoryGeneration | undefined {
    return this.of(projection).find((each) => each.generation === generation);
  }

  inRole({ projection }: { readonly projection: string }, role: Role): InMemoryGeneration | undefined {
    return this.of(projection).find((each) => each.role === role);
  }

  has(generation: InMemoryGeneration): boolean {
    return this.of(generation.projection).includes(generation);
  }

  add({ projection, kind }: Pick<StateDefinition, 'projection' | 'kind'>, version: number, role: Role): InMemoryGeneration {
    const number = (this.lastNumbers.get(projection) ?? 0) + 1;
    const generation = new InMemoryGeneration({ projection, generation: number }, version, kind, role);
    this.lastNumbers.set(projection, number);
    this.byProjection.set(projection, [...this.of(projection), generation]);
    return generation;
  }

  remove(generation: InMemoryGeneration): void {
    const { projection } = generation;
    this.byProjection.set(
      projection,
      this.of(projection).filter((each) => each !== generation),
    );
  }

  /** Works on a generation while nobody else changes it. @returns undefined when it is gone. */
  async change<T>(id: GenerationId, work: (generation: InMemoryGeneration) => Promise<T> | T): Promise<T | undefined> {
    const generation = this.find(id);
    if (generation === undefined) return undefined;
    return this.alone([generation], () => (this.has(generation) ? work(generation) : undefined));
  }

  /** Works while nobody else changes one of the generations, which may be gone when it begins. */
  async alone<T>(generations: readonly InMemoryGeneration[], work: () => Promise<T> | T): Promise<T> {
    const ends: (() => void)[] = [];
    try {
      for (const generation of generations) ends.push(await generation.turn.take());
      return await work();
    } finally {
      for (const end of ends) end();
    }
  }
}
