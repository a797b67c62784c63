import { EventSourcingError } from '../event-sourcing-error';

/** A stored event, as an error names it. */
export interface StoredEventName {
  readonly type: string;
  readonly schemaVersion: number;
  readonly id: string;
  readonly position: string;
}

/** An upcaster failed at a stored event, or made something of it that is no event. */
export class UpcastError extends EventSourcingError {
  override readonly code = 'UPCAST';
  readonly type: string;
  readonly schemaVersion: number;
  readonly eventId: string;
  readonly position: string;

  constructor(
    { type, schemaVersion, id, position }: StoredEventName,
    /** Who failed: `OrderUpcasters.priced`, from version 1 to `order.placed` version 2, `after` those that made what it was given. */
    readonly upcaster: { readonly name: string; readonly from: number; readonly to: string; readonly after: readonly string[] },
    problem: string,
    options?: ErrorOptions,
  ) {
    super(
      `Event ${id} at ${position}, of type "${type}" version ${schemaVersion}, cannot be read: the upcaster ${upcaster.name}, from version ${upcaster.from} to ${upcaster.to}, ${problem}.${givenBy(upcaster.after)}`,
      options,
    );
    this.type = type;
    this.schemaVersion = schemaVersion;
    this.eventId = id;
    this.position = position;
  }
}

/** Nobody but a class tells of a shape: when what comes out is wrong, an earlier upcaster may have made it so. */
function givenBy(after: readonly string[]): string {
  return after.length === 0 ? '' : ` It was given what ${after.join(' and then ')} made.`;
}

/** A stored event is of a version that no upcaster leads on from. It is not taken for another version. */
export class MissingUpcasterError extends EventSourcingError {
  override readonly code = 'MISSING_UPCASTER';
  readonly type: string;
  readonly schemaVersion: number;
  readonly eventId: string;
  readonly position: string;

  constructor(
    { type, schemaVersion, id, position }: StoredEventName,
    /** The version that the code knows; undefined where no class has the name. */
    readonly known: number | undefined,
  ) {
    super(
      `Event ${id} at ${position}, of type "${type}", is of version ${schemaVersion}, which no upcaster reads. ${missingUpcasterRemedy({ type, schemaVersion, known })}`,
    );
    this.type = type;
    this.schemaVersion = schemaVersion;
    this.eventId = id;
    this.position = position;
  }
}

/** @returns what to do about a version that no upcaster leads on from. */
export function missingUpcasterRemedy({
  type,
  schemaVersion,
  known,
}: {
  readonly type: string;
  readonly schemaVersion: number;
  readonly known: number | undefined;
}): string {
  // No upcaster can lead on from there: @Upcasts refuses it, as no class can have written it.
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1)
    return 'Versions begin with 1: set the version of the stored row to the one that its data is of.';
  const ways =
    known === undefined
      ? `Write @Upcasts(${JSON.stringify(type)}, { from: ${schemaVersion}, … })`
      : `The class is at version ${known}: write @Upcasts(…, { from: ${schemaVersion}, to: ${known} })`;
  return `${ways}, and list it in EventSourcing.open({ upcasters: […] }).`;
}

/** A stored event is of a later version than the code knows: a newer release of the application wrote it. */
export class NewerEventError extends EventSourcingError {
  override readonly code = 'NEWER_EVENT';
  readonly type: string;
  readonly schemaVersion: number;
  readonly eventId: string;
  readonly position: string;

  constructor(
    { type, schemaVersion, id, position }: StoredEventName,
    /** The version that the code knows. */
    readonly known: number,
  ) {
    super(
      `Event ${id} at ${position}, of type "${type}", is of version ${schemaVersion}, and the code knows versions up to ${known}. A newer release wrote it: run that one.`,
    );
    this.type = type;
    this.schemaVersion = schemaVersion;
    this.eventId = id;
    this.position = position;
  }
}
