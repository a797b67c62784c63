import { ConnectionBusyError } from './typeorm-errors';

/** How long somebody may keep a turn while others wait. */
const longestTurnMs = 5_000;

interface Waiter {
  readonly since: number;
  readonly grant: () => void;
  readonly refuse: (error: Error) => void;
}

/** Lets one at a time have what all share, in the order they came. */
export class Turns {
  private readonly waiting: Waiter[] = [];
  private isTaken = false;
  private takenSince = 0;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @returns what to call when the turn is over.
   * @throws {@link ConnectionBusyError} when somebody keeps a turn for too long.
   */
  async take(): Promise<() => void> {
    if (this.isTaken) {
      await new Promise<void>((grant, refuse) => {
        this.waiting.push({ since: Date.now(), grant, refuse });
        this.watch();
      });
    } else {
      this.isTaken = true;
      this.takenSince = Date.now();
    }
    let isOver = false;
    return () => {
      if (!isOver) this.pass();
      isOver = true;
    };
  }

  private pass(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.takenSince = Date.now();
    const next = this.waiting.shift();
    if (next === undefined) this.isTaken = false;
    else next.grant();
    this.watch();
  }

  /** Refuses who has waited for too long for one and the same turn to end. */
  private watch(): void {
    const [first] = this.waiting;
    if (first === undefined || this.timer !== undefined) return;
    const due = Math.max(first.since, this.takenSince) + longestTurnMs;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        if (this.waiting[0] === first) this.waiting.shift();
        first.refuse(new ConnectionBusyError(longestTurnMs));
        this.watch();
      },
      Math.max(0, due - Date.now()),
    );
  }
}
