import type { Position, RecordedEvent } from '../events/recorded-event';
import type { Append, AppendResult, AppendTransaction, BeforeCommit, Guard, NewEvent } from './append';
import { checkAppends } from './check-input';
import type { Ending } from './ending';
import type { EventLog } from './event-log';
import type { EventRecorder } from './event-recorder';
import { DuplicateEventError, InvalidAppendError, OptimisticLockError } from './store-errors';

/** One append and what is appended from within it: holds the events until the store adds them to its log. */
export class InMemoryTransaction implements AppendTransaction {
  readonly events: RecordedEvent[] = [];
  readonly previous: Position | undefined;
  private isOver = false;
  private staged: Staged | undefined;
  private readonly nested: Promise<AppendResult>[] = [];
  private readonly endings: Ending[] = [];

  constructor(
    private readonly log: EventLog,
    private readonly recorder: EventRecorder,
    private readonly beforeCommit: BeforeCommit | undefined,
  ) {
    this.previous = log.newest;
  }

  /** @returns a promise when there is something to wait for. */
  begin(appends: readonly Append[]): Promise<void> | undefined {
    let ending: Promise<void> | undefined;
    try {
      const hook = this.stage(appends);
      if (hook !== undefined || this.nested.length > 0) ending = this.end(hook);
      return ending;
    } finally {
      this.isOver = ending === undefined;
    }
  }

  append(appends: readonly Append[]): Promise<AppendResult> {
    const result = this.appendMore(appends);
    result.catch(() => undefined);
    if (!this.isOver) this.nested.push(result);
    return result;
  }

  onEnd(ending: Ending): void {
    this.checkOpen();
    this.endings.push(ending);
  }

  /** Tells those who asked how the append ended. @returns a promise when one of them has to be waited for. */
  tell(how: Parameters<Ending>[0]): Promise<unknown> | undefined {
    if (this.endings.length === 0) return undefined;
    const told = this.endings.splice(0).map((ending) => ending(how));
    return told.every((telling) => telling === undefined) ? undefined : Promise.allSettled(told);
  }

  private async appendMore(appends: readonly Append[]): Promise<AppendResult> {
    this.checkOpen();
    const from = this.events.length;
    await this.stage(appends);
    const events = this.recorder.allApart(this.events.slice(from));
    return { events, position: events.at(-1)?.position };
  }

  private checkOpen(): void {
    if (this.isOver)
      throw new InvalidAppendError('The append that this transaction belongs to is over. Append before its hook ends.');
  }

  /** Waits also for appends that the hook did not wait for. One that fails fails the whole. */
  private async end(hook: PromiseLike<void> | undefined): Promise<void> {
    try {
      await hook;
      for (const nested of this.nested) await nested;
    } finally {
      this.isOver = true;
    }
  }

  private stage(appends: readonly Append[]): PromiseLike<void> | undefined {
    checkAppends(appends);
    this.checkGuards(appends);
    const from = this.events.length;
    for (const { stream, events } of appends) for (const event of events) this.add(stream, event);
    if (this.events.length === from || this.beforeCommit === undefined) return undefined;
    return this.beforeCommit(this.recorder.allApart(this.events.slice(from)), this) ?? undefined;
  }

  private checkGuards(appends: readonly Append[]): void {
    try {
      for (const { stream, guard, events } of appends) if (events.length > 0) this.checkGuard(stream, guard);
    } catch (error) {
      // What is appended a second time breaks its own guard.
      for (const { events } of appends) for (const { id } of events) if (id !== undefined) this.checkNew(id);
      throw error;
    }
  }

  private checkNew(id: string): void {
    if (this.log.has(id) || this.staged?.ids.has(id)) throw new DuplicateEventError(id);
  }

  private add(stream: string, event: NewEvent): void {
    const recorded = this.recorder.record(event, stream, this.versionOf(stream) + 1);
    this.checkNew(recorded.id);
    this.staged?.add(recorded);
    this.events.push(recorded);
  }

  private versionOf(stream: string): number {
    // Most appends hold one event, and then need no index of what is staged.
    if (this.events.length > 0) this.staged ??= new Staged(this.events);
    return this.staged?.versions.get(stream) ?? this.log.versionOf(stream);
  }

  private checkGuard(stream: string, guard: Guard): void {
    if ('version' in guard) {
      this.checkVersion(stream, guard.version);
      return;
    }
    const { criteria, after } = guard.condition;
    const newest = this.log.newestMatch(criteria, after, this.events);
    if (newest !== undefined) throw new OptimisticLockError(stream, after, newest.position);
  }

  private checkVersion(stream: string, expected: 'any' | 'none' | 'exists' | number): void {
    if (expected === 'any') return;
    const actual = this.versionOf(stream);
    if (expected === actual || (expected === 'exists' && actual > 0) || (expected === 'none' && actual === 0)) return;
    throw new OptimisticLockError(stream, expected === 'none' ? 0 : expected, actual);
  }
}

/** An index of the events that wait for the end of a transaction. */
class Staged {
  readonly ids = new Set<string>();
  readonly versions = new Map<string, number>();

  constructor(events: readonly RecordedEvent[]) {
    for (const event of events) this.add(event);
  }

  add({ id, stream, version }: RecordedEvent): void {
    this.ids.add(id);
    this.versions.set(stream, version);
  }
}
