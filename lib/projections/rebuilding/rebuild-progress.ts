import type { Position } from '../../events/recorded-event';
import type { GenerationRecord, ProjectionStore } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { Rate } from '../running/rate';

/** How far a rebuild is. */
export interface RebuildProgress {
  readonly projection: string;
  /** How many events are folded, also by a process that died, or another one that works on it. */
  readonly events: number;
  /** How many there are; those that are appended meanwhile are counted at the end. */
  readonly total: number;
  readonly eventsPerSecond: number;
  /** Undefined while it cannot be told. */
  readonly secondsLeft: number | undefined;
  /** Everything up to here is folded. */
  readonly position: Position | undefined;
}

/** Called with the progress of a rebuild. */
export type OnProgress = (progress: RebuildProgress) => void;

/** It is told of progress at most so often, in milliseconds. */
const pauseMs = 100;

/** What is appended while it is counted has it be counted again, so often at most. */
const mostLooks = 5;

/** Measures how far a rebuild is, and tells those who want to know. */
export class RebuildMeter {
  private readonly rate = new Rate();
  private last = 0;
  private events = 0;
  private total = 0;
  private counted = 0;

  constructor(
    private readonly place: ProjectionStore,
    private readonly definition: ProjectionDefinition,
    private readonly listeners: ReadonlySet<OnProgress>,
  ) {}

  /** Begins with what is folded already. */
  async begin({ checkpoint }: Pick<GenerationRecord, 'checkpoint'>): Promise<void> {
    const { types } = this.definition.folding;
    this.total = (await this.place.behind(types, undefined)).events;
    const left = checkpoint === undefined ? this.total : (await this.place.behind(types, checkpoint)).events;
    this.events = Math.max(0, this.total - left);
    this.counted = 0;
  }

  /** @param applied How many events this process has folded since the beginning. */
  at(applied: number, position: Position | undefined): void {
    this.count(applied);
    if (performance.now() - this.last < pauseMs) return;
    this.tell(position);
  }

  /** Takes note of what others have folded. */
  async lookAt({ checkpoint }: Pick<GenerationRecord, 'checkpoint'>): Promise<void> {
    if (this.listeners.size === 0 || performance.now() - this.last < 10 * pauseMs) return;
    const left = (await this.place.behind(this.definition.folding.types, checkpoint)).events;
    this.count(this.counted + Math.max(0, this.total - left - this.events));
    this.tell(checkpoint);
  }

  /** All of it is folded. @returns how many events that are: all there were where this process has not counted. */
  end(applied: number | undefined, position: Position | undefined): number {
    this.count(applied ?? this.counted + this.total - this.events);
    this.total = this.events;
    this.tell(position);
    return this.events;
  }

  /** As {@link end}, where others have folded some of them: how many there are up to `position`, whoever did. */
  async endAt(position: Position | undefined): Promise<number> {
    const { types } = this.definition.folding;
    const count = async (after: Position | undefined): Promise<number> => (await this.place.behind(types, after)).events;
    let total = await count(undefined);
    for (let looks = 0; looks < mostLooks; looks += 1) {
      const later = position === undefined ? total : await count(position);
      const before = total;
      total = await count(undefined);
      this.events = before - later;
      // Nothing was appended between the two.
      if (total === before) break;
    }
    this.total = this.events;
    this.tell(position);
    return this.events;
  }

  private count(applied: number): void {
    const more = Math.max(0, applied - this.counted);
    this.counted += more;
    this.events += more;
    this.rate.add(more);
    this.total = Math.max(this.total, this.events);
  }

  private tell(position: Position | undefined): void {
    this.last = performance.now();
    const { events, total } = this;
    const eventsPerSecond = this.rate.perSecond;
    const left = total - events;
    const secondsLeft = left === 0 ? 0 : eventsPerSecond > 0 ? Math.ceil(left / eventsPerSecond) : undefined;
    const progress = { projection: this.definition.projection, events, total, eventsPerSecond, secondsLeft, position };
    for (const listener of this.listeners) listen(listener, progress);
  }
}

/** A listener that throws does not end what it listens to. */
function listen(listener: OnProgress, progress: RebuildProgress): void {
  try {
    listener(progress);
  } catch (error) {
    process.emitWarning(`onProgress threw: ${String(error)}`, 'EventfoldWarning');
  }
}
