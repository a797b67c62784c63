import { decode } from '../events/decode';
import type { Position, RecordedEvent } from '../events/recorded-event';
import { copyState } from './copy-state';
import { Documents, type DocumentsEnvironment, type Instance } from './documents';
import { type ProjectionClass, runSteps, type Step, type Target } from './projection-class';
import { ProjectionError } from './projection-errors';

/** What one append has folded, on copies. */
export interface Staged {
  /** The last event folded. */
  position: Position | undefined;
  readonly states: Map<Instance, object>;
  /** Events for instances that stand still: they wait there once they are stored. */
  readonly waiting: [Instance, RecordedEvent][];
  /** What an earlier append of the same transaction has folded, which is not committed either. */
  readonly base: Staged | undefined;
  /** The copies have taken the place of the states. */
  isTaken: boolean;
}

/**
 * Folds events within the append that stores them: on copies, which take the place of the states when the append
 * has been committed.
 */
export class InlineProjection {
  readonly documents: Documents;
  /** Everything up to here has been folded. */
  position: Position | undefined;
  private staged: Staged | undefined;
  private catchingUp: Promise<void> | undefined;

  constructor(
    readonly projection: ProjectionClass,
    private readonly environment: DocumentsEnvironment,
  ) {
    this.documents = new Documents(projection, environment);
  }

  /** Begins to fold an append after `previous`. What the one before it staged is taken over, if that one was stored. */
  begin(previous: Position | undefined): Staged {
    if (this.staged?.position !== undefined && this.staged.position === previous) this.takeOver(this.staged);
    return this.beginOn(undefined);
  }

  /** Begins to fold an append that follows another in its transaction. */
  beginOn(base: Staged | undefined): Staged {
    this.staged = { position: base?.position, states: new Map(), waiting: [], base, isTaken: false };
    return this.staged;
  }

  /** @returns a promise only when stored events have to be folded first. */
  prepare(previous: Position | undefined): Promise<void> | undefined {
    return this.position === previous && this.catchingUp === undefined ? undefined : this.catchUp();
  }

  /**
   * Folds one event of the append on copies.
   *
   * @throws {@link ProjectionError} when a handler throws; the append fails with it.
   */
  stage(recorded: RecordedEvent): PromiseLike<void> | undefined {
    const staged = this.staged as Staged;
    staged.position = recorded.position;
    const [first] = this.projection.stepsFor(recorded.type);
    return first && this.stageSteps(staged, recorded, first);
  }

  /** Takes over what a stored append staged, and tells of it. */
  settle(staged: Staged): void {
    if (this.staged === staged) {
      this.staged = undefined;
      this.takeOver(staged);
    }
    if (!staged.isTaken) return;
    for (const [instance, state] of allStates(staged)) this.documents.announce(instance, state);
    this.environment.progressed();
  }

  /** Forgets what a failed append staged. */
  discard(staged: Staged): void {
    if (this.staged === staged) this.staged = staged.base;
  }

  /** Folds what others stored. */
  async catchUp(): Promise<void> {
    while (this.catchingUp !== undefined) await this.catchingUp;
    this.catchingUp = this.readOn();
    try {
      await this.catchingUp;
    } finally {
      this.catchingUp = undefined;
    }
  }

  /** Says whether an append of this process is being folded, which then looks for the events of others itself. */
  get isStaging(): boolean {
    return this.staged !== undefined;
  }

  hasReached(target: Position): boolean {
    const { position, documents } = this;
    return documents.retrying === 0 && position !== undefined && this.environment.store.compare(position, target) >= 0;
  }

  close(): void {
    this.documents.close();
  }

  /** Tells nobody yet: it may happen within the next append. */
  private takeOver(staged: Staged): void {
    if (staged.position === undefined) return;
    staged.isTaken = true;
    this.position = staged.position;
    this.documents.replace(allStates(staged));
    for (const [instance, event] of allWaiting(staged)) this.documents.apply(instance, this.stepsFor(instance, event), event);
  }

  private async readOn(): Promise<void> {
    const { position } = this;
    for await (const chunk of this.environment.store.read(position === undefined ? {} : { after: position }).chunks()) {
      for (const recorded of chunk) {
        await this.fold(recorded);
        this.position = recorded.position;
      }
    }
    this.environment.progressed();
  }

  private async fold(recorded: RecordedEvent): Promise<void> {
    const [first] = this.projection.stepsFor(recorded.type);
    if (first === undefined) return;
    let event: RecordedEvent;
    let targets: readonly Target[];
    try {
      event = decode(recorded, first.model.event.class);
      targets = this.projection.targetsOf(event);
    } catch (error) {
      this.documents.keepUnroutable(recorded, error);
      return;
    }
    for (const { identity, steps } of targets) await this.documents.applyTo(identity, steps, event);
  }

  private stageSteps(staged: Staged, recorded: RecordedEvent, first: Step): PromiseLike<void> | undefined {
    try {
      const event = decode(recorded, first.model.event.class);
      let running: Promise<void> | undefined;
      for (const { identity, steps } of this.projection.targetsOf(event)) {
        const instance = this.documents.instanceOf(identity);
        if (running === undefined) {
          const pending = this.stageInstance(staged, instance, steps, event);
          running = pending && Promise.resolve(pending);
        } else running = running.then(() => this.stageInstance(staged, instance, steps, event));
      }
      return running;
    } catch (error) {
      throw error instanceof ProjectionError ? error : this.errorOf(undefined, recorded, error);
    }
  }

  private stageInstance(
    staged: Staged,
    instance: Instance,
    steps: readonly Step[],
    event: RecordedEvent,
  ): PromiseLike<void> | undefined {
    if (instance.blocked !== undefined) {
      staged.waiting.push([instance, event]);
      return undefined;
    }
    const state = staged.states.get(instance) ?? copyState(stateIn(staged.base, instance) ?? instance.state);
    staged.states.set(instance, state);
    try {
      const running = runSteps(steps, state, event);
      return running?.then(undefined, (error: unknown) => Promise.reject(this.errorOf(instance, event, error)));
    } catch (error) {
      throw this.errorOf(instance, event, error);
    }
  }

  private stepsFor({ identity }: Instance, event: RecordedEvent): readonly Step[] {
    return identity === undefined ? [] : this.projection.stepsOf(identity, event);
  }

  private errorOf(instance: Instance | undefined, event: RecordedEvent, error: unknown): ProjectionError {
    const ids = instance?.identity && this.projection.idsOf(instance.identity);
    return new ProjectionError(this.projection.name, ids, event, error);
  }
}

/** @returns what an instance is by the appends of a transaction; undefined when they did not touch it. */
function stateIn(staged: Staged | undefined, instance: Instance): object | undefined {
  return staged && (staged.states.get(instance) ?? stateIn(staged.base, instance));
}

/** @returns the last state of each instance that the appends of a transaction touched. */
function allStates({ base, states }: Staged): ReadonlyMap<Instance, object> {
  return base === undefined ? states : new Map([...allStates(base), ...states]);
}

function allWaiting({ base, waiting }: Staged): readonly [Instance, RecordedEvent][] {
  return base === undefined ? waiting : [...allWaiting(base), ...waiting];
}
