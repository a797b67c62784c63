import type { Observable, Subject } from 'rxjs';
import { StoreClosedError } from '../../../store/store-errors';
import { Hearing } from '../hearing';
import type { Polling } from '../wake-ups';

/** How other processes are told. */
export interface RemoteProgress {
  announce(projection: string): void;
  /** Listens until the returned function is called; undefined may be any projection. */
  listen(hear: (projection: string | undefined) => void): () => void;
}

/** What a look at the records gives: for each projection a text that is another after each change. */
export type Look = () => Promise<ReadonlyMap<string, string>>;

/** Tells who waits for projections that one has moved on: at once of this DataSource's, soon of other processes'. */
export class Progress {
  private readonly hearing: Hearing<string | undefined>;
  private known: ReadonlyMap<string, string> | undefined;
  private pauseMs = 0;

  /**
   * @param told Shared by the stores of this process on the same tables and connections.
   * @param polling Undefined where nobody else can change anything.
   */
  constructor(
    private readonly look: Look,
    private readonly told: Subject<string>,
    private readonly remote: RemoteProgress | undefined,
    private readonly polling: Polling | undefined,
  ) {
    this.hearing = new Hearing<string | undefined>({
      told,
      listen: remote && (() => remote.listen((projection) => this.hearing.next(projection))),
      begun: () => {
        this.known = undefined;
        this.pauseMs = polling?.minMs ?? 0;
        this.schedule();
      },
    });
  }

  progressed(): Observable<string | undefined> {
    return this.hearing.observe();
  }

  tell(projection: string): void {
    if (this.hearing.isOver) return;
    this.remote?.announce(projection);
    this.told.next(projection);
  }

  close(): void {
    this.hearing.close();
  }

  private schedule(): void {
    const { polling } = this;
    if (polling !== undefined) this.hearing.later(this.pauseMs, () => void this.poll(polling));
  }

  private async poll({ minMs, maxMs }: Polling): Promise<void> {
    try {
      const now = await this.look();
      const { known } = this;
      this.known = now;
      // What is seen first may be new to who began to listen before.
      const moved =
        known === undefined ? [undefined] : [...now].flatMap(([name, text]) => (known.get(name) === text ? [] : [name]));
      this.pauseMs = moved.length > 0 ? minMs : Math.min(maxMs, this.pauseMs * 2);
      for (const projection of moved) this.hearing.next(projection);
    } catch (error) {
      if (error instanceof StoreClosedError) this.close();
      // The database is away; whoever asks it hears of that. Here it is only asked again.
      this.pauseMs = maxMs;
    }
    this.schedule();
  }
}
