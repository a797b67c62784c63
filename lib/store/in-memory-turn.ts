import type { Position } from '../events/recorded-event';
import { type Contents, DraftContents } from './in-memory-contents';

/** Lets one at a time change the contents of a generation. */
export class Turn {
  private held: Hold | undefined;

  /** @returns a function that ends the turn. */
  async take(): Promise<() => void> {
    const hold = await this.wait();
    return () => this.end(hold);
  }

  /**
   * Takes the turn for an append. One that comes after `previous`, which another append that has the turn ended with, is of
   * the same transaction, or that one is committed already: it goes on with what the other has drafted.
   */
  async draft(contents: Contents, previous: Position | undefined): Promise<Draft> {
    const { held } = this;
    const isNext = held?.draft !== undefined && previous !== undefined && held.draft.checkpoint === previous;
    const hold = isNext ? held : await this.wait();
    if (isNext) hold.appends += 1;
    const before = hold.draft;
    const draft = new DraftContents(before ?? contents);
    hold.draft = draft;
    return {
      contents: draft,
      end: (how) => {
        if (how === 'committed') draft.keep();
        else hold.draft = before;
        this.end(hold);
      },
    };
  }

  private async wait(): Promise<Hold> {
    while (this.held !== undefined) await this.held.over;
    this.held = new Hold();
    return this.held;
  }

  private end(hold: Hold): void {
    hold.appends -= 1;
    if (hold.appends > 0) return;
    this.held = undefined;
    hold.end();
  }
}

/** What an append would have a generation hold. */
export interface Draft {
  readonly contents: DraftContents;
  /** Keeps it or takes it back, and ends the turn. */
  end(how: 'committed' | 'rolledBack'): void;
}

class Hold {
  /** How many share it. */
  appends = 1;
  draft: DraftContents | undefined;
  end!: () => void;
  readonly over = new Promise<void>((resolve) => {
    this.end = resolve;
  });
}
