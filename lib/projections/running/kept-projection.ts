import type { ClassModel } from '../../metadata/class-model';
import type { GenerationRecord } from '../../store/projection-store';
import type { ProjectionDefinition } from '../folding/projection-definition';
import { type InlineEnvironment, InlineProjection } from '../inline/inline-projection';
import { ChangedKindError } from '../projection-errors';
import { RowChanges, type RowChangesOptions } from '../reading/row-changes';
import { beginReactor } from './reactor-beginning';
import { Runner } from './runner';
import type { RunnerEnvironment } from './runner-environment';

/** What a projection that keeps state needs around it. */
export interface KeptEnvironment extends RunnerEnvironment {
  readonly closed: RowChangesOptions['closed'];
  /** What serves was made by another version of the class. @returns why it does not run here. */
  mismatched(projection: KeptProjection, serving: GenerationRecord): Promise<string>;
}

/** The pause before what could not be begun is begun again. */
const retryMs = 500;

/** Taken here, so that fake timers in a user's tests do not stop it. */
const later = setTimeout;

/** A projection that keeps state, in this process: it runs the generation that serves, when it is this process's turn. */
export class KeptProjection {
  runner: Runner | undefined;
  /** What takes part in appends; undefined where the projection is async, or another version of it serves. */
  inline: InlineProjection | undefined;
  /** Why this process does not run it. */
  refusal: string | undefined;
  readonly changes: RowChanges;
  /** Whether it does not run as what serves is of an older version, and is to be built anew. */
  isNewer = false;
  /** What was told of its refusal, once. */
  told: string | undefined;
  /** Whether this process is to run it. */
  isStarted = false;
  private isClosed = false;
  private looking: NodeJS.Timeout | undefined;
  private starting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  /** How many run it for a while, and whether it stops with the last of them. */
  private borrowers = 0;
  private isBorrowed = false;

  constructor(
    readonly definition: ProjectionDefinition,
    private readonly environment: KeptEnvironment,
  ) {
    this.changes = new RowChanges({ ...environment, definition });
    environment.closed.subscribe(() => {
      this.isClosed = true;
      clearTimeout(this.looking);
    });
  }

  get model(): ClassModel {
    return this.definition.folding.model;
  }

  get name(): string {
    return this.definition.projection;
  }

  get version(): number {
    return this.definition.folding.options.version;
  }

  get isInline(): boolean {
    return this.definition.folding.options.mode === 'inline';
  }

  /** Whether it keeps nothing but its place in the log. */
  get isReactor(): boolean {
    return this.definition.kind === 'reactor';
  }

  /** @returns what serves, which is begun where nothing does. */
  serving(): Promise<GenerationRecord> {
    const { definition, environment, version } = this;
    if (this.isReactor) return beginReactor(definition, environment);
    return environment.place.create(definition, version, 'serving');
  }

  /** Begins to run it. @returns when its place is made. */
  start(): Promise<void> {
    this.isBorrowed = false;
    return this.run();
  }

  /** @returns when the chunk under way is kept. Who starts it meanwhile has the last word. */
  async stop(): Promise<void> {
    this.isBorrowed = false;
    this.isStarted = false;
    await this.starting?.catch(() => undefined);
    if (!this.isStarted) await this.halted();
  }

  /** Runs it while `work` goes on, and stops it then unless it is to run anyway. */
  async runDuring(work: () => Promise<void>): Promise<void> {
    if (!this.isStarted) this.isBorrowed = true;
    this.borrowers += 1;
    try {
      await this.run();
      await work();
    } finally {
      this.borrowers -= 1;
      if (this.isBorrowed && this.borrowers === 0) await this.stop();
      else if (!this.isStarted) await this.stopping;
    }
  }

  /** @throws {@link ChangedKindError} where what serves was made by a class of this version that keeps it in another way. */
  checkKind({ version, kind }: Pick<GenerationRecord, 'version' | 'kind'>): void {
    if ((version === this.version || this.isReactor) && kind !== this.definition.kind)
      throw new ChangedKindError(this.name, version, this.definition.kind, kind);
  }

  /** Another generation serves now. */
  restart(): void {
    const restarting = this.halted().then(() => this.begun());
    restarting.catch((error: unknown) => {
      if (this.isClosed) return;
      if (!this.environment.place.isTransient(error))
        this.environment.trouble([this.name], `${this.name} does not run, and tries again: ${String(error)}`);
      this.lookAgain(retryMs);
    });
  }

  private run(): Promise<void> {
    this.isStarted = true;
    return this.begun();
  }

  /** Ends the runner that there is. The next one waits for that: two would get in each other's way. */
  private halted(): Promise<void> {
    const { runner } = this;
    this.runner = undefined;
    if (runner !== undefined)
      this.stopping = runner.stop().finally(() => {
        this.stopping = undefined;
      });
    return this.stopping ?? Promise.resolve();
  }

  /** Sees to it that it is run, where that is this process's to do. */
  begun(): Promise<void> {
    this.starting ??= this.begin().finally(() => {
      this.starting = undefined;
    });
    return this.starting;
  }

  private async begin(): Promise<void> {
    if (this.runner !== undefined || this.isIdle) return;
    await this.stopping;
    const serving = await this.serving();
    if (this.isReactor) this.checkKind(serving);
    if (serving.version !== this.version) return this.refuse(serving);
    this.checkKind(serving);
    if (this.isIdle) return undefined;
    this.refusal = undefined;
    this.isNewer = false;
    // Its token is none that is given out, so that the first append looks at what stands still.
    if (this.isInline && this.inline?.record.generation !== serving.generation)
      this.inline = new InlineProjection(this.definition, { ...serving, token: -1 }, this.inlineEnvironment);
    if (!this.isStarted) return undefined;
    const environment = { ...this.environment, superseded: () => this.restart() };
    this.runner = new Runner(this.definition, serving, environment, this.isInline ? 'behind appends' : 'at once');
    return this.runner.start();
  }

  /** Whether it is nothing to this process what serves: appends find inline projections also where none is run. */
  private get isIdle(): boolean {
    return this.isClosed || (!this.isStarted && !this.isInline);
  }

  private get inlineEnvironment(): InlineEnvironment {
    const { now, report } = this.environment;
    return { now, report, superseded: () => this.restart() };
  }

  /** It is looked again, as another version may come to serve. */
  private async refuse(serving: GenerationRecord): Promise<void> {
    this.inline = undefined;
    this.refusal = `Version ${serving.version} of it serves, and this process has version ${this.version}.`;
    this.refusal = await this.environment.mismatched(this, serving);
    this.lookAgain(this.environment.leaseMs);
  }

  private lookAgain(ms: number): void {
    clearTimeout(this.looking);
    if (!this.isIdle) this.looking = later(() => this.restart(), ms).unref();
  }
}
