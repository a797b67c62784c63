import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { nameOf } from '../events/event-class';
import { checkOptions, InvalidArgumentError } from '../events/invalid-argument-error';

/** How the projections of a process run. */
export interface ProjectionRunOptions {
  /**
   * `'manual'` runs async projections only once `es.projections.start()` is called; `'off'` never does, and leaves them to other
   * processes; `'auto'` unless given. Inline ones take part in appends in any case.
   */
  readonly run?: 'auto' | 'manual' | 'off';
  /**
   * Another process takes a projection over when its runner has not been heard of for so long, in milliseconds: from 100 to
   * 3,600,000; 5,000 unless given.
   */
  readonly leaseMs?: number;
  /** What `status()` calls this process; host, process and a random text unless given. Another for each process. */
  readonly owner?: string;
}

const call = 'EventSourcing.open({ projections })';

/** @throws {@link InvalidArgumentError} when an option is unknown or not possible. */
export function runOptions(given: ProjectionRunOptions = {}): Required<ProjectionRunOptions> {
  checkOptions(call, given, ['run', 'leaseMs', 'owner']);
  const { run = 'auto', leaseMs = 5_000, owner = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}` } = given;
  if (!['auto', 'manual', 'off'].includes(run))
    throw new InvalidArgumentError(`${call} takes run 'auto', 'manual' or 'off', not ${nameOf(run)}.`);
  if (!(typeof leaseMs === 'number' && leaseMs >= 100 && leaseMs <= 3_600_000))
    throw new InvalidArgumentError(`${call} cannot lease for ${nameOf(leaseMs)} ms. Give 100 to 3600000.`);
  if (typeof owner !== 'string' || owner === '' || owner.length > 200)
    throw new InvalidArgumentError(`${call} takes an owner of 1 to 200 characters, not ${nameOf(owner)}.`);
  return { run, leaseMs, owner };
}
