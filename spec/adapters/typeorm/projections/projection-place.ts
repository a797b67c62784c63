import type { Changes, GenerationRecord, InstanceId, ProjectionStore, StateDefinition } from 'eventfold';
import { eventStoreEntities, type TypeOrmEventStore, type TypeOrmEventStoreOptions } from 'eventfold/typeorm';
import { Column, type DataSource, type DataSourceOptions, Entity, PrimaryColumn } from 'typeorm';
import type { Database, DatabasePlace } from '../../../controls/databases';
import { ownPlace } from '../../../controls/own-place';

/** The state of a projection, in a table of its own. */
@Entity({ name: 'ef_place_tallies' })
export class Tally {
  @PrimaryColumn('varchar', { length: 100 }) id!: string;
  @Column('int') total = 0;
}

export const definition: StateDefinition = {
  projection: 'Tallies',
  target: Tally,
  kind: 'entity',
  ids: ['id'],
  create: ({ values }) => Object.assign(new Tally(), { id: values[0] }),
  idOf: (state) => idOf((state as Tally).id),
  encode: (state) => JSON.stringify({ total: (state as Tally).total }),
  decode: (id, text) => Object.assign(new Tally(), { id: id.values[0] }, JSON.parse(text)),
};

/** The same, as documents. */
export const documents: StateDefinition = { ...definition, projection: 'Documents', kind: 'document' };

export const longMs = 600_000;

export function idOf(name: string): InstanceId {
  return { key: name, values: [name] };
}

export function tally(id: string, total: number): Tally {
  return Object.assign(new Tally(), { id, total });
}

/** Connects the entity, too. The tables are made by the first. */
export async function connectWith(place: DatabasePlace): Promise<DataSource> {
  const { schema } = place.tables;
  return place.connect({
    entities: [...eventStoreEntities(place.type, place.tables), Tally],
    ...(schema !== undefined && { schema }),
  } as Partial<DataSourceOptions>);
}

/** Opens a store on a connection of its own. */
export async function openStore(place: DatabasePlace, options: TypeOrmEventStoreOptions = {}): Promise<TypeOrmEventStore> {
  return place.open(options, await connectWith(place));
}

/** A database with room for the entity. */
export async function roomIn(database: Database): Promise<DatabasePlace> {
  const place = await ownPlace(database);
  await connectWith(place);
  return place;
}

/** Begins a generation and takes its lease. */
export async function taken(
  projections: ProjectionStore,
  of: StateDefinition = definition,
  role: 'serving' | 'building' = 'serving',
): Promise<GenerationRecord> {
  const record = await projections.create(of, 1, role);
  return (await projections.take(record, 'me', longMs)) as GenerationRecord;
}

/** @returns changes that leave the checkpoint where it is, unless told otherwise. */
export function changes({ checkpoint }: GenerationRecord, given: Partial<Changes> = {}): Changes {
  return { from: checkpoint, to: checkpoint, saved: [], removed: [], queued: [], released: [], ...given };
}

/** @returns the totals of all instances that are kept, by id. */
export async function totals(
  projections: ProjectionStore,
  of: StateDefinition = definition,
  role: 'serving' | 'building' | 'kept' = 'serving',
): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for await (const chunk of projections.scan(of, { projection: of.projection, role }))
    for (const { id, total } of chunk as Tally[]) found[id] = total;
  return found;
}
