import { digest } from '../events/digest';
import type { Upcasting } from '../events/upcasting';
import { streamName } from '../metadata/boundaries';
import type { ClassModel } from '../metadata/class-model';
import type { Identity } from '../metadata/identity';
import type { SnapshotPolicy } from '../metadata/slots';
import type { Snapshot, SnapshotStore } from '../store/snapshot-store';
import { fieldsOf, putFields } from './instance-fields';
import { shapeOf } from './shape';
import type { SnapshotMiss } from './snapshot-stats';
import type { Snapshots } from './snapshots';
import { type Fields, fieldsOfText, Obstacle, textOfFields } from './state-text';

/** A snapshot that can be used, if its event is in the store. */
export interface Recalled {
  readonly snapshot: Snapshot;
  /** The instance as it was; nobody else's. */
  readonly instance: object;
}

/** What a snapshot tells beside the state. */
export type SnapshotPoint = Pick<Snapshot, 'version' | 'folded' | 'eventId' | 'position' | 'previous'>;

/** What a class says about its instances, as far as a snapshot depends on it. */
export interface SnapshotSubject {
  readonly model: ClassModel;
  readonly guard: 'stream' | 'boundary';
  readonly upcasting: Upcasting;
  /** @returns an instance without any events. */
  readonly construct: (identity: Identity) => object;
}

/** @returns the snapshots of a class, or undefined where it asks for none, or the store keeps none. */
export function snapshotsOf(all: Snapshots, subject: SnapshotSubject): ClassSnapshots | undefined {
  const { model } = subject;
  const policy = model.aggregate?.snapshot ?? model.projection?.snapshot;
  if (policy === undefined) return undefined;
  if (all.store !== undefined) return new ClassSnapshots(all, all.store, policy, subject);
  all.warn(model.name, `${model.name} asks for snapshots, but its store keeps none. It is folded from its first event.`);
  return undefined;
}

/** The snapshots of the instances of one class. */
export class ClassSnapshots {
  /** A snapshot could not be made or saved since the last that was. */
  private isInDoubt = false;
  private knownShape: string | undefined;

  constructor(
    private readonly all: Snapshots,
    private readonly store: SnapshotStore,
    private readonly policy: SnapshotPolicy,
    private readonly subject: SnapshotSubject,
  ) {}

  /**
   * @param last How many events the newest known snapshot is made of: 0 for none.
   * @param before How many events there were before the last commit.
   */
  isDue(folded: number, last: number, before: number): boolean {
    // What has failed is tried again at the next multiple, and not after every commit.
    return this.multipleOf(folded) > this.multipleOf(this.isInDoubt ? Math.max(last, before) : last);
  }

  /** Says whether a read has folded so many events that the next one should not have to. */
  isFar(folded: number, last: number): boolean {
    return folded - last > this.policy.every;
  }

  keyOf(identity: Identity): string {
    return streamName(this.subject.model, identity.values);
  }

  /**
   * @param store Where to look: in the view of a transaction, when there is one around the caller.
   * @returns the snapshot of an instance, or why there is none to use.
   */
  async recall(identity: Identity, store: SnapshotStore = this.store): Promise<Recalled | SnapshotMiss> {
    const key = this.keyOf(identity);
    let snapshot: Snapshot | undefined;
    try {
      snapshot = (await store.load(key)) ?? undefined;
    } catch {
      return 'failed';
    }
    if (snapshot === undefined) return 'none';
    if (snapshot.revision !== this.policy.revision) return 'revision';
    if (snapshot.shape !== this.shape(identity)) return 'shape';
    try {
      const instance = this.subject.construct(identity);
      putFields(instance, opened(key, snapshot), this.subject.model.ids);
      return { snapshot, instance };
    } catch {
      return 'corrupt';
    }
  }

  /** Counts a load that folded from the first event, and forgets a snapshot that never will be of use. */
  missed(identity: Identity, reason: SnapshotMiss): void {
    this.all.miss(reason);
    if (reason !== 'corrupt' && reason !== 'astray') return;
    const key = this.keyOf(identity);
    this.all.later(`remove ${key}`, () => this.store.remove(key));
  }

  /** @returns a snapshot of the instance, or undefined when none can be made, which is counted. */
  make(instance: object, identity: Identity, point: SnapshotPoint): Snapshot | undefined {
    const { model } = this.subject;
    const key = this.keyOf(identity);
    try {
      const fields = textOfFields(fieldsOf(instance, this.subject.construct(identity), model.ids));
      const unsealed = { ...point, key, revision: this.policy.revision, shape: this.shape(identity) };
      return { ...unsealed, state: sealed(unsealed, fields), time: this.all.now().toISOString() };
    } catch (error) {
      this.isInDoubt = true;
      if (error instanceof Obstacle) this.all.countUnstorable(model.name, String(error));
      else this.all.countFailed(error);
      return undefined;
    }
  }

  /** Does the work in the background. */
  later(identity: Identity, work: () => Promise<void>): void {
    this.all.later(`save ${this.keyOf(identity)}`, work);
  }

  hit(): void {
    this.all.hit();
  }

  async save(snapshot: Snapshot): Promise<void> {
    try {
      await this.store.save(snapshot);
      this.isInDoubt = false;
      this.all.countSaved();
    } catch (error) {
      this.isInDoubt = true;
      this.all.countFailed(error);
    }
  }

  private multipleOf(folded: number): number {
    return Math.floor(folded / this.policy.every);
  }

  private shape(identity: Identity): string {
    const { model, guard, construct, upcasting } = this.subject;
    this.knownShape ??= shapeOf(model, guard, { fresh: construct(identity), upcasting });
    return this.knownShape;
  }
}

type Unsealed = Omit<Snapshot, 'state' | 'time'>;

const head = '{"digest":"';
const neck = '","fields":';

function sealed(snapshot: Unsealed, fields: string): string {
  return `${head}${digestOf(snapshot, fields)}${neck}${fields}}`;
}

/** @throws when something in the snapshot is not as it was saved. */
function opened(key: string, snapshot: Snapshot): Fields {
  const { state } = snapshot;
  const fields = state.slice(state.indexOf(neck) + neck.length, -1);
  if (state !== sealed({ ...snapshot, key }, fields)) throw new SyntaxError('another digest');
  return fieldsOfText(fields);
}

function digestOf({ key, revision, shape, version, folded, eventId, position, previous }: Unsealed, fields: string): string {
  return digest([key, revision, shape, version, folded, eventId, position, previous ?? null, fields]);
}
