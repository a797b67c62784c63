/** Knows which appends are under way, so that one can wait for those that began before something changed. */
export class AppendsUnderWay {
  private batch = new Batch();
  private earlier = Promise.resolve();

  /** @returns what to end when the append has ended. */
  begin(): Batch {
    this.batch.count += 1;
    return this.batch;
  }

  /** Waits until every append that has begun by now has ended. */
  async ended(): Promise<void> {
    const { batch, earlier } = this;
    this.batch = new Batch();
    this.earlier = earlier.then(() => batch.ended());
    await this.earlier;
  }
}

class Batch {
  count = 0;
  private wake: (() => void) | undefined;

  end(): void {
    this.count -= 1;
    if (this.count === 0) this.wake?.();
  }

  async ended(): Promise<void> {
    if (this.count > 0) await new Promise<void>((wake) => (this.wake = wake));
  }
}
