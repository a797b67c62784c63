import type { DataSource, EntityMetadata } from 'typeorm';
import type { StateDefinition } from '../../../store/projection-store';
import { columnMistakes, type EntityMistake } from './entity-column-mistakes';
import { newInstance } from './entity-model';

/** @returns what stands against keeping the instances of a projection as rows of its entity. */
export function entityMistakes(dataSource: DataSource, definition: StateDefinition): readonly EntityMistake[] {
  const metadata = dataSource.getMetadata(definition.target);
  const fresh = newInstance(metadata);
  const kind = kindMistakes(metadata);
  if (kind.length > 0) return kind;
  if (fresh === undefined) {
    const problem = 'it throws without arguments, and neither TypeORM nor the framework has any to give';
    return [{ member: 'constructor', problem, remedy: 'Let a handler set the state' }];
  }
  return [...keyMistakes(metadata, definition, fresh), ...columnMistakes(dataSource, metadata, fresh)];
}

function kindMistakes({ name, tableType, inheritancePattern, discriminatorColumn, treeType }: EntityMetadata): EntityMistake[] {
  const found = (problem: string, remedy: string) => [{ member: name, problem, remedy }];
  if (tableType === 'view') return found('it is a view, which cannot be written', 'Make it an @Entity()');
  if (inheritancePattern !== undefined || discriminatorColumn !== undefined)
    return found('it shares its table with other classes', 'Give it a table of its own: extend a class that is no entity');
  if (treeType !== undefined)
    return found('it is a tree, whose columns only TypeORM can write', 'Keep the id of the parent in a @Column()');
  return [];
}

/** A row is found by the ids of its instance, and by nothing else. */
function keyMistakes({ primaryColumns }: EntityMetadata, { ids }: StateDefinition, fresh: object): EntityMistake[] {
  const missing = ids.filter((id) => primaryColumns.every(({ propertyPath }) => propertyPath !== id));
  return [
    ...missing.map((id) => ({
      member: id,
      problem: 'it is a projection id, but no primary column',
      remedy: `Put @PrimaryColumn() on "${id}"`,
    })),
    ...primaryColumns.flatMap((column) => keyColumnMistakes(column, ids, fresh)),
  ];
}

function keyColumnMistakes(
  { propertyPath: member, isGenerated, isVirtual, relationMetadata, type, transformer }: EntityMetadata['primaryColumns'][number],
  ids: readonly string[],
  fresh: object,
): EntityMistake[] {
  const found = (problem: string, remedy: string) => [{ member, problem, remedy }];
  if (isGenerated) return found('its value is generated, but events say which row is meant', 'Make it a @PrimaryColumn()');
  if (isVirtual || relationMetadata?.propertyPath === member)
    return found('a relation is part of the primary key', 'Make the key of plain columns: @PrimaryColumn()');
  if (transformer === undefined && objectTypes.has(type))
    return found(`a column of type ${nameOf(type)} gives no id back`, 'Keep the id as text or as a number');
  if (ids.includes(member)) return [];
  if (ids.length > 0)
    return found(
      'it is a primary column, but no projection id',
      `Put @ProjectionId() on "${member}", or make it a plain @Column()`,
    );
  if ((fresh as Record<string, unknown>)[member] === undefined)
    return found(
      'there is one instance, whose primary column has no value',
      `Give it one: "${member} = 1", or put @ProjectionId() on it`,
    );
  return [];
}

const objectTypes = new Set<unknown>([
  ...['json', 'jsonb', 'simple-json', 'simple-array', 'datetime', 'timestamp', 'timestamptz'],
  ...['timestamp with time zone', 'timestamp without time zone', 'bytea', 'blob', 'binary', 'varbinary'],
  Date,
]);

function nameOf(type: unknown): string {
  return typeof type === 'function' ? type.name : String(type);
}
