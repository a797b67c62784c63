import { type DataSource, getMetadataArgsStorage } from 'typeorm';
import type { StateDefinition } from '../../../store/projection-store';
import type { EntityMistake } from './entity-column-mistakes';

/** @returns what is wrong with a class that would be kept as documents, although it says that it has a table. */
export function unlistedMistakes(dataSource: DataSource, { target }: StateDefinition): readonly EntityMistake[] {
  const isEntity = getMetadataArgsStorage().tables.some((table) => table.target === target);
  if (!isEntity || dataSource.hasMetadata(target)) return [];
  const problem = 'it is an @Entity() that the DataSource does not list';
  return [{ member: target.name, problem, remedy: 'List it in `entities`' }];
}

/** @returns what is wrong with an entity whose table another projection of the same process fills, too. */
export function sharedTableMistakes(
  dataSource: DataSource,
  { projection, target }: StateDefinition,
  others: readonly StateDefinition[],
): readonly EntityMistake[] {
  const { tablePath } = dataSource.getMetadata(target);
  const sharing = others.filter(
    ({ kind, target: other }) => kind === 'entity' && dataSource.getMetadata(other).tablePath === tablePath,
  );
  return sharing.map((other) => ({
    member: target.name,
    problem: `the projections ${other.projection} and ${projection} have one table, ${tablePath}, and would overwrite each other's rows`,
    remedy: "Give each a table of its own: @Entity('…')",
  }));
}
