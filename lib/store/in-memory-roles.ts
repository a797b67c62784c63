import type { Position } from '../events/recorded-event';
import type { EventStore } from './event-store';
import { DraftContents } from './in-memory-contents';
import type { InMemoryGeneration } from './in-memory-generation';
import type { InMemoryGenerations } from './in-memory-generations';
import { InMemoryProjectionTransaction } from './in-memory-projection-transaction';
import { writeChanges } from './in-memory-queues';
import type { CatchUp, GenerationId, GenerationRecord, StateDefinition } from './projection-store';

/** Has generations begin, take each other's place, and end. */
export class InMemoryRoles {
  constructor(
    private readonly generations: InMemoryGenerations,
    private readonly store: EventStore,
  ) {}

  async create(definition: StateDefinition, version: number, role: 'serving' | 'building'): Promise<GenerationRecord> {
    const { generations } = this;
    const there = generations.inRole(definition, role);
    const isSame = there?.record.version === version && there.record.kind === definition.kind;
    const isOutdated = there !== undefined && role === 'building' && !isSame;
    if (isOutdated) await generations.alone([there], () => generations.remove(there));
    return (generations.inRole(definition, role) ?? generations.add(definition, version, role)).record;
  }

  async promote(
    definition: StateDefinition,
    building: GenerationRecord,
    serving: GenerationRecord | undefined,
    catchUp?: CatchUp,
  ): Promise<boolean> {
    const { generations } = this;
    const [next, present] = [generations.find(building), generations.inRole(definition, 'serving')];
    if (next === undefined) return false;
    return generations.alone(present === undefined ? [next] : [present, next], async () => {
      const isStill = generations.has(next) && generations.inRole(definition, 'serving') === present;
      if (!isStill || !next.isAs(building) || !isKnown(present, serving, catchUp)) return false;
      const upTo = present?.contents.checkpoint;
      if (catchUp !== undefined && upTo !== undefined && this.isBefore(next, upTo)) await this.complete(next, catchUp, upTo);
      const kept = generations.inRole(definition, 'kept');
      if (kept !== undefined) generations.remove(kept);
      present?.become('kept');
      next.become('serving');
      return true;
    });
  }

  async reopen(definition: StateDefinition): Promise<boolean> {
    const { generations } = this;
    const kept = generations.inRole(definition, 'kept');
    if (kept === undefined) return false;
    return generations.alone([kept], () => {
      const isPossible = generations.has(kept) && generations.inRole(definition, 'building') === undefined;
      if (isPossible) kept.become('building');
      return isPossible;
    });
  }

  async drop(id: GenerationId): Promise<boolean> {
    const isDropped = await this.generations.change(id, (generation) => {
      if (generation.role === 'serving') return false;
      this.generations.remove(generation);
      return true;
    });
    return isDropped === true;
  }

  private isBefore({ contents: { checkpoint } }: InMemoryGeneration, position: Position): boolean {
    return checkpoint === undefined || this.store.compare(checkpoint, position) < 0;
  }

  private async complete(next: InMemoryGeneration, catchUp: CatchUp, upTo: Position): Promise<void> {
    const draft = new DraftContents(next.contents);
    const changes = await catchUp(new InMemoryProjectionTransaction(next, draft, this.store), upTo);
    writeChanges(draft, changes, (a, b) => this.store.compare(a, b));
    draft.keep();
  }
}

/** Says whether what serves is as it is known; where the other one catches up with it, it may have moved on. */
function isKnown(present: InMemoryGeneration | undefined, known: GenerationRecord | undefined, catchUp?: CatchUp): boolean {
  if (present === undefined || known === undefined) return present === known;
  const { checkpoint } = catchUp === undefined ? known : present.record;
  return present.generation === known.generation && present.isAs({ ...known, checkpoint });
}
