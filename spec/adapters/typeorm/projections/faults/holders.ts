import { type Class, Handles, Projection, type ProjectionContext, ProjectionId } from 'eventfold';
import { Column, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import { Credited, Line, Noting, Spoiled } from './ledgers';

/** What a handler waits for at a spoiled event; nothing, unless a process sets it. */
export const holding = { hold: async (_note: string): Promise<void> => undefined };

/** Holds still while nothing is locked. */
@Entity('fault_held_rows')
@Projection()
export class HeldRows extends Noting {
  @ProjectionId() @PrimaryColumn('varchar', { length: 20 }) id!: string;
  @Column('int') count: number = 0;
  @Column('text') notes: string = '';

  @Handles(Spoiled)
  async spoiled({ note }: Spoiled) {
    this.add(note);
    await holding.hold(note);
  }
}

/** Holds still in the middle of a transaction. */
@Projection({ kind: 'custom' })
export class HeldLines {
  @ProjectionId() id!: string;

  @Handles(Credited)
  async credited({ note }: Credited, { manager }: ProjectionContext<EntityManager>) {
    await manager.insert(Line, { id: this.id, note });
  }

  @Handles(Spoiled)
  async spoiled({ note }: Spoiled, { manager }: ProjectionContext<EntityManager>) {
    await manager.insert(Line, { id: this.id, note });
    await holding.hold(note);
  }
}

export const holders: Record<string, Class> = { HeldRows, HeldLines };
export const holderEntities: Class[] = [HeldRows, Line];
