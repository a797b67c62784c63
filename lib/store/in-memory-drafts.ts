import { type Contents, copiesOf, DraftContents, writeInstances } from './in-memory-contents';
import type { InMemoryGeneration } from './in-memory-generation';
import type { Changes, GenerationId, GenerationRecord, InstanceId, StateDefinition } from './projection-store';

/** Finds a generation; undefined when it is gone. */
export type FindGeneration = (id: GenerationId) => InMemoryGeneration | undefined;

/** What a transaction would have generations hold, in as many layers as attempts are under way in it. */
export class InMemoryDrafts {
  /** There is nothing to write through in memory. */
  readonly manager = undefined;
  private layers: readonly Map<InMemoryGeneration, DraftContents>[] = [];

  /** @param draftOf The draft of a generation in this transaction. */
  constructor(
    private readonly find: FindGeneration,
    private readonly draftOf: (generation: InMemoryGeneration) => Promise<Contents> | Contents,
  ) {}

  async load(_definition: StateDefinition, id: GenerationRecord, ids: readonly InstanceId[]): Promise<Map<string, object>> {
    const contents = await this.contentsOf(id);
    return contents === undefined ? new Map() : copiesOf(contents, ids);
  }

  async write(_definition: StateDefinition, id: GenerationRecord, changes: Pick<Changes, 'saved' | 'removed'>): Promise<void> {
    const contents = await this.contentsOf(id);
    if (contents !== undefined) writeInstances(contents, changes);
  }

  async attempt<T>(work: () => Promise<T>): Promise<T> {
    const layer = new Map<InMemoryGeneration, DraftContents>();
    const outer = this.layers;
    this.layers = [...outer, layer];
    try {
      const result = await work();
      for (const draft of layer.values()) draft.keep();
      return result;
    } finally {
      this.layers = outer;
    }
  }

  /** @returns what the generation would hold now; undefined when it is gone. */
  async contentsOf(id: GenerationId): Promise<Contents | undefined> {
    const generation = this.find(id);
    if (generation === undefined) return undefined;
    let contents = await this.draftOf(generation);
    for (const layer of this.layers) {
      const draft = layer.get(generation) ?? new DraftContents(contents);
      layer.set(generation, draft);
      contents = draft;
    }
    return contents;
  }
}
