import { boundsOf, eventColumns, manyTypes, type Selection, type Statement } from './select-events';
import type { TableNames } from './tables';

/** What a database merges by position without reading more than it returns: parts that are each limited, or whole ones. */
export type Merging = 'limited parts' | 'whole parts';

/** Selects the events of a few types by the index of types alone: rows need not be found by their positions afterwards. */
export class SelectByTypes {
  private readonly columns: string;

  constructor(
    private readonly names: TableNames,
    private readonly placeholder: (index: number) => string,
    private readonly merging: Merging,
  ) {
    this.columns = eventColumns(names);
  }

  /** @returns undefined for a selection that asks for something else, or for many types. */
  statement(selection: Selection): Statement | undefined {
    const types = typesAlone(selection);
    if (types === undefined || types.length === 0 || types.length >= manyTypes) return undefined;
    const parameters: unknown[] = [];
    const bind = (value: unknown): string => this.placeholder(parameters.push(value));
    const first = (): string => `ORDER BY position ${selection.isBackward ? 'DESC' : 'ASC'} LIMIT ${bind(selection.limit)}`;
    const parts = types.map((type, index) => {
      const part = this.part(type, selection, bind);
      return types.length > 1 && this.merging === 'limited parts' ? `SELECT * FROM (${part} ${first()}) b${index}` : part;
    });
    return { sql: `${parts.join(' UNION ALL ')} ${first()}`, parameters, isFrequent: false };
  }

  private part(type: string, selection: Selection, bind: (value: unknown) => string): string {
    const { events: e } = this.names;
    const where = [`e.${e.type} = ${bind(type)}`, ...boundsOf(selection, `e.${e.position}`, bind)];
    return `SELECT ${this.columns} FROM ${e.table} e WHERE ${where.join(' AND ')}`;
  }
}

/** @returns each type once, or undefined when types are not all that is asked for. */
function typesAlone({ stream, criteria, afterTime, beforeTime, withoutTag }: Selection): readonly string[] | undefined {
  if ([stream, afterTime, beforeTime, withoutTag].some((other) => other !== undefined)) return undefined;
  const types = new Set<string>();
  for (const criterion of criteria ?? [{}]) {
    if (criterion.types === undefined || (criterion.tags ?? []).length > 0) return undefined;
    for (const type of criterion.types) types.add(type);
  }
  return [...types];
}
