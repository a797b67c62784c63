import { KeptContents } from './in-memory-contents';
import { Turn } from './in-memory-turn';
import type { Changes, GenerationId, GenerationRecord, Role, StateKind } from './projection-store';

/** One generation of a projection in memory. */
export class InMemoryGeneration {
  readonly contents = new KeptContents();
  readonly turn = new Turn();
  token = 1;
  isPaused = false;
  failure: string | undefined;
  private eventsPerSecond = 0;
  private holder: string | undefined;
  private leasedUntil = 0;

  constructor(
    private readonly id: GenerationId,
    private readonly version: number,
    private readonly kind: StateKind,
    public role: Role,
  ) {}

  get record(): GenerationRecord {
    const { id, version, kind, role, token, owner, isPaused, failure, eventsPerSecond } = this;
    const { checkpoint } = this.contents;
    return Object.freeze({
      projection: id.projection,
      generation: id.generation,
      version,
      kind,
      role,
      token,
      checkpoint,
      owner,
      isPaused,
      failure,
      eventsPerSecond,
    });
  }

  get projection(): string {
    return this.id.projection;
  }

  get generation(): number {
    return this.id.generation;
  }

  /** Who holds the lease now. */
  get owner(): string | undefined {
    return this.leasedUntil > performance.now() ? this.holder : undefined;
  }

  lease(owner: string, leaseMs: number): void {
    this.holder = owner;
    this.leasedUntil = performance.now() + leaseMs;
  }

  release(): void {
    this.holder = undefined;
  }

  /** Gives it another role, so that nobody goes on with it as what it was. */
  become(role: Role): void {
    this.role = role;
    this.token += 1;
  }

  /** Says whether nobody else has changed it since `record` was read, or moved its checkpoint. */
  isAs({ token, checkpoint }: GenerationRecord): boolean {
    return this.token === token && this.contents.checkpoint === checkpoint;
  }

  /** Takes what changes say beside the contents. */
  note({ leaseMs, eventsPerSecond, isForeign }: Changes): void {
    if (leaseMs !== undefined && this.holder !== undefined) this.lease(this.holder, leaseMs);
    if (eventsPerSecond !== undefined) this.eventsPerSecond = eventsPerSecond;
    if (isForeign === true) this.token += 1;
  }
}
