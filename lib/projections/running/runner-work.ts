import type { BlockedInstance, GenerationRecord } from '../../store/projection-store';
import type { Chunk } from '../feeding/intake';

/** What a runner does with the events of its projection. */
export interface RunnerWork {
  /** How many events to apply at once. */
  readonly size: number;
  /** @returns whether what was done is kept. */
  apply(chunk: Chunk, record: GenerationRecord): Promise<boolean>;
  /** Tries an instance again that stands still. */
  retry(instance: BlockedInstance, record: GenerationRecord): Promise<void>;
  /** Takes note of how long a chunk took. */
  took(chunk: Chunk, ms: number, isKept: boolean): void;
  /** Sees to it that a chunk that failed is applied in another way. @throws the error where there is none. */
  failed(chunk: Chunk, error: unknown): void;
  /** Ends the handler that is under way, where handlers hear of it. */
  interrupt?(): void;
}
