import type { Position } from '../../../events/recorded-event';
import type { GenerationRecord, Role, StateDefinition, StateKind } from '../../../store/projection-store';

type Row = Readonly<Record<string, unknown>>;

/** The roles that a swap of tables gives for as long as it is under way, and what they were. */
const swapping: Readonly<Record<string, Role>> = { rising: 'building', falling: 'serving', reopening: 'kept' };

/** @returns the record in a row, whatever the driver makes of large numbers and of bytes. */
export function recordOf(row: Row): GenerationRecord {
  const role = textOf(row['role']);
  return {
    projection: textOf(row['projection']),
    generation: Number(row['generation']),
    version: Number(row['version']),
    kind: textOf(row['kind']) as StateKind,
    role: swapping[role] ?? (role as Role),
    checkpoint: row['checkpoint'] == null ? undefined : (String(row['checkpoint']) as Position),
    token: Number(row['token']),
    owner: row['owner'] == null ? undefined : textOf(row['owner']),
    isPaused: Number(row['isPaused']) === 1,
    failure: row['failure'] == null ? undefined : textOf(row['failure']),
    eventsPerSecond: Number(row['eventsPerSecond']),
  };
}

/** Says whether what is there is gone on with: what serves is never begun anew. */
export function goesOn(there: GenerationRecord, { kind }: Pick<StateDefinition, 'kind'>, version: number): boolean {
  return there.role === 'serving' || (there.version === version && there.kind === kind);
}

export function isSwapping(row: Row): boolean {
  return textOf(row['role']) in swapping;
}

export function textOf(value: unknown): string {
  return Buffer.isBuffer(value) ? value.toString() : String(value);
}
