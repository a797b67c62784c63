import { eventStoreEntities, TypeOrmEventStore, type TypeOrmEventStoreOptions } from 'eventfold/typeorm';
import { type DataSource, type EntityManager, EntitySchema } from 'typeorm';
import type { DatabasePlace } from './databases';

/** A row of a user's, in the DataSource of the event store. */
export class Note {
  text!: string;
}

/** @returns a connection for events and notes; the first makes the tables. */
export function connectWithNotes(place: DatabasePlace, synchronize: boolean): Promise<DataSource> {
  const { schema, tablePrefix = '' } = place.tables;
  const notes = new EntitySchema<Note>({
    name: 'Note',
    target: Note,
    tableName: `${tablePrefix}notes`,
    ...(schema !== undefined && { schema }),
    columns: { text: { type: 'varchar', length: 100, primary: true } },
  });
  return place.connect({ synchronize, entities: [notes, ...eventStoreEntities(place.type, place.tables)] });
}

export const storeOn = (place: DatabasePlace, dataSource: DataSource, options: TypeOrmEventStoreOptions = {}) =>
  new TypeOrmEventStore(dataSource, { ...place.tables, ...options });

export const note = (manager: EntityManager, text: string) => manager.insert(Note, { text });

/** @returns the notes, in the order of the alphabet. */
export async function notesIn(dataSource: DataSource): Promise<string[]> {
  return (await dataSource.manager.find(Note, { order: { text: 'ASC' } })).map(({ text }) => text);
}
