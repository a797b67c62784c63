/** An event as hand-written code reads it. */
export interface ReadByHand {
  readonly version: number;
  /** A `Buffer` where the driver gives bytes. */
  readonly type: string | Buffer;
  readonly data: string;
}

/**
 * The leanest code that one would write on a driver alone, on tables with the columns and indexes of ours: a prepared
 * insert that the unique index of stream and version guards, in a transaction of its own.
 */
export interface ByHand {
  append(stream: string, version: number, type: string, data: object): Promise<void> | void;
  read(stream: string): Promise<readonly ReadByHand[]> | readonly ReadByHand[];
  close(): Promise<void>;
}
