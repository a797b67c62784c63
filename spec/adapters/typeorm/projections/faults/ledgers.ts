import {
  type Class,
  createEvent,
  Event,
  type EventStore,
  Handles,
  Projection,
  type ProjectionContext,
  ProjectionId,
} from 'eventfold';
import { Column, type DataSource, Entity, type EntityManager, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';

@Event('ledger.credited')
export class Credited {
  id!: string;
  note!: string;
}

/** An event of two instances. */
@Event('ledger.shared')
export class Shared {
  ids!: string[];
  note!: string;
}

/** An event that one kind of ledger refuses until it is mended. */
@Event('ledger.spoiled')
export class Spoiled {
  id!: string;
  note!: string;
}

export const credited = (id: string, note: string) => createEvent(Credited, { id, note });
export const shared = (ids: string[], note: string) => createEvent(Shared, { ids, note });
export const spoiled = (id: string, note: string) => createEvent(Spoiled, { id, note });

/** Notes each event, in the order in which it came: what is applied twice, or not at all, shows. */
export abstract class Noting {
  abstract id: string;
  abstract count: number;
  abstract notes: string;

  protected add(note: string): void {
    this.count += 1;
    this.notes += `${note} `;
  }

  @Handles(Credited)
  credited({ note }: Credited) {
    this.add(note);
  }

  @Handles(Shared, { id: 'ids' })
  shared({ note }: Shared) {
    this.add(note);
  }
}

@Entity('fault_rows')
@Projection()
export class RowLedger extends Noting {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('int') count: number = 0;
  @Column('text') notes: string = '';
}

@Projection()
export class DocumentLedger extends Noting {
  @ProjectionId() id!: string;
  count: number = 0;
  notes: string = '';
}

@Entity('fault_inline_rows')
@Projection({ mode: 'inline' })
export class InlineLedger extends Noting {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('int') count: number = 0;
  @Column('text') notes: string = '';
}

/** What the ledger below writes: nothing keeps a line from being written twice. */
@Entity('fault_lines')
export class Line {
  @PrimaryGeneratedColumn() line!: number;
  @Column('varchar', { length: 20 }) id!: string;
  @Column('varchar', { length: 50 }) note!: string;
}

@Projection({ kind: 'custom' })
export class CustomLedger {
  @ProjectionId() id!: string;

  @Handles(Credited)
  async credited({ note }: Credited, { manager }: ProjectionContext<EntityManager>) {
    await manager.insert(Line, { id: this.id, note });
  }

  @Handles(Shared, { id: 'ids' })
  async shared({ note }: Shared, { manager }: ProjectionContext<EntityManager>) {
    await manager.insert(Line, { id: this.id, note });
  }
}

/** Says whether spoiled events are taken. */
export const cure = { isFound: false };

@Entity('fault_fussy_rows')
@Projection({ retry: { attempts: 2, delayMs: 20 }, maxParked: 1_000_000 })
export class FussyLedger extends Noting {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('int') count: number = 0;
  @Column('text') notes: string = '';

  @Handles(Spoiled)
  spoiled({ note }: Spoiled) {
    this.add(note);
    if (!cure.isFound) throw new Error(`spoiled ${note}`);
  }
}

export const ledgerEntities: Class[] = [RowLedger, InlineLedger, FussyLedger, Line];
export const asyncLedgers: Class[] = [RowLedger, DocumentLedger, CustomLedger, FussyLedger];
export const allLedgers: Class[] = [...asyncLedgers, InlineLedger];

/** The notes of each instance, as plainly as can be. */
export type Notes = Record<string, string[]>;

/** @returns what every ledger has to show, by a fold of what is stored; `Spoiled` events belong to fussy ones. */
export async function foldOf(store: EventStore): Promise<{ readonly all: Notes; readonly fussy: Notes; readonly count: number }> {
  const all: Notes = {};
  const fussy: Notes = {};
  let count = 0;
  for await (const { type, data } of store.read({})) {
    const { id, ids, note } = data as { id: string; ids?: string[]; note: string };
    count += 1;
    for (const each of new Set(ids ?? [id])) {
      noteIn(fussy, each, note);
      if (type !== 'ledger.spoiled') noteIn(all, each, note);
    }
  }
  return { all, fussy, count };
}

function noteIn(notes: Notes, id: string, note: string): void {
  notes[id] = [...(notes[id] ?? []), note];
}

/** @returns what instances show. */
export function notesOf(states: readonly object[]): Notes {
  const notes: Notes = {};
  for (const state of states as { id: string; count: number; notes: string }[]) {
    const list = state.notes.split(' ').slice(0, -1);
    notes[state.id] = list;
    if (state.count !== list.length) throw new Error(`${state.id} counts ${state.count} of ${list.length} notes.`);
  }
  return notes;
}

/** @returns what the custom ledger has written. */
export async function linesOf(dataSource: DataSource): Promise<Notes> {
  const notes: Notes = {};
  for (const { id, note } of await dataSource.manager.find(Line, { order: { line: 'ASC' } })) noteIn(notes, id, note);
  return notes;
}
