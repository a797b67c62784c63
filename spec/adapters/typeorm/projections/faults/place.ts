import type { Class } from 'eventfold';
import { eventStoreEntities } from 'eventfold/typeorm';
import type { DataSource, DataSourceOptions } from 'typeorm';
import type { Database, DatabasePlace } from '../../../../controls/databases';
import { ownPlace } from '../../../../controls/own-place';
import { type Address, addressOf } from '../../faults/address';
import { ledgerEntities } from './ledgers';

/** A place for ledgers: with their tables, and nobody else's. */
export async function ledgerPlace(database: Database, entities: readonly Class[] = ledgerEntities): Promise<DatabasePlace> {
  const place = await ownPlace(database);
  await place.connect(withEntities(place, entities));
  return place;
}

/** Connects as another process would. */
export function connectAgain(
  place: DatabasePlace,
  options: Partial<DataSourceOptions> = {},
  entities: readonly Class[] = ledgerEntities,
): Promise<DataSource> {
  return place.connect({ ...withEntities(place, entities), ...options } as Partial<DataSourceOptions>);
}

function withEntities(place: DatabasePlace, entities: readonly Class[]): Partial<DataSourceOptions> {
  const { schema } = place.tables;
  return {
    entities: [...eventStoreEntities(place.type, place.tables), ...entities],
    ...(schema !== undefined && { schema }),
    // PGlite has no other.
    ...(place.type === 'postgres' && { uuidExtension: 'pgcrypto', installExtensions: false }),
  } as Partial<DataSourceOptions>;
}

/** @returns where another process finds it. */
export async function ledgerAddress(place: DatabasePlace): Promise<Address> {
  return addressOf(await place.dataSource(), place.tables);
}
