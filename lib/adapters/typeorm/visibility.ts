import type { DataSource } from 'typeorm';
import type { Position } from '../../events/recorded-event';
import type { Selection } from './select-events';
import type { Horizon } from './wake-ups';

const known = new WeakMap<DataSource, Map<string, Visibility>>();

/** @returns what the stores on one table of a DataSource may read. */
export function visibilityOn(dataSource: DataSource, table: string): Visibility {
  const byTable = known.get(dataSource) ?? new Map<string, Visibility>();
  known.set(dataSource, byTable);
  const visibility = byTable.get(table) ?? new Visibility();
  byTable.set(table, visibility);
  return visibility;
}

/** Hides from readers on a shared connection what a transaction on it has appended and not committed. */
class Visibility {
  /** The newest position before the first of them; '0' when there was none. */
  private last: string | undefined;

  get isLimited(): boolean {
    return this.last !== undefined;
  }

  /** @returns what to call when everything may be seen again. */
  limit(newest: Position | undefined): () => void {
    this.last = newest ?? '0';
    return () => {
      this.last = undefined;
    };
  }

  of(selection: Selection): Selection {
    const { last } = this;
    if (last === undefined || (selection.upTo !== undefined && Number(selection.upTo) <= Number(last))) return selection;
    return { ...selection, upTo: last };
  }

  ofHorizon({ position, isHeldBack }: Horizon): Horizon {
    const { last } = this;
    if (last === undefined || position === undefined || Number(position) <= Number(last)) return { position, isHeldBack };
    return { position: last === '0' ? undefined : (last as Position), isHeldBack };
  }
}

export type { Visibility };
