import type { QueryRunner } from 'typeorm';
import type { Changes, InstanceId, Role, SavedInstance, StateDefinition } from '../../../store/projection-store';
import type { Statement } from '../select-events';

/** Which instances are meant: those of the generation that has this role now, or of a known one. */
export interface Place {
  readonly projection: string;
  readonly role: Role;
  /** Undefined where it is looked up by the role. */
  readonly generation: number | undefined;
}

/**
 * The instances of one projection in the database. Each method works on the connection of the runner it is given, within
 * the transaction that is open on it, if one is.
 */
export interface InstanceTable {
  readonly definition: StateDefinition;
  load(runner: QueryRunner, place: Place, ids: readonly InstanceId[]): Promise<Map<string, object>>;
  /** @returns up to `limit` instances after the one that `last` is (from the first one when undefined), in one order. */
  page(runner: QueryRunner, place: Place, last: object | undefined, limit: number): Promise<object[]>;
  save(runner: QueryRunner, place: Place, saved: readonly SavedInstance[]): Promise<void>;
  remove(runner: QueryRunner, place: Place, ids: readonly InstanceId[]): Promise<void>;
  /** @returns statements that write all of it, or fail: undefined where that takes answers. */
  writes(place: Place, changes: Pick<Changes, 'saved' | 'removed'>): readonly Statement[] | undefined;
  /** Says whether two states of one instance are the same in all that events decide. */
  isSame(one: object, other: object): boolean;
  /** Makes room for a generation that is being built, empty also when there was something. */
  create(runner: QueryRunner, place: Place): Promise<void>;
  /** Removes a generation's instances, and its room unless it serves. Harmless when there is none. */
  drop(runner: QueryRunner, place: Place): Promise<void>;
  /** Keeps everybody else from what {@link promote} will change, where that can be done before. */
  lock?(runner: QueryRunner): Promise<void>;
  /** Has what is being built serve, and what serves be kept, where that is a matter of the tables. */
  promote(runner: QueryRunner): Promise<void>;
  /** Has what is kept be what is being built. */
  reopen(runner: QueryRunner): Promise<void>;
}
