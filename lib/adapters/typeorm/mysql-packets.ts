import { InvalidAppendError } from '../../store/store-errors';
import type { StagedEvent, StagedGroup } from './staged-append';

/** What a row takes beside its texts. */
const rowBytes = 500;

/** A server takes a statement up to a size, and ends the connection of who sends a larger one. */
export class MySqlPackets {
  /** @param most The bytes of the largest packet: `max_allowed_packet`. */
  constructor(private readonly most: number) {}

  /**
   * @returns whether all of it goes into one packet.
   * @throws {@link InvalidAppendError} when one event alone is too large.
   */
  holds(groups: readonly StagedGroup[]): boolean {
    let bytes = 0;
    for (const group of groups) {
      for (const { stream, events } of group) {
        for (const event of events) {
          const size = this.sizeOf(event) + 2 * Buffer.byteLength(stream);
          if (size > this.most) throw tooLarge(event, size, this.most);
          bytes += size;
        }
      }
    }
    return bytes <= this.most;
  }

  /** @returns how many of the rows, from the given one on, go into one packet: one or more. */
  count(rows: readonly unknown[][], from: number, mostRows: number): number {
    let bytes = 0;
    let count = 0;
    while (count < mostRows && from + count < rows.length) {
      bytes += rowBytes;
      for (const value of rows[from + count] as unknown[]) bytes += this.lengthOf(value);
      if (count > 0 && bytes > this.most) break;
      count += 1;
    }
    return count;
  }

  private sizeOf({ id, type, tags, metadataText, dataText }: StagedEvent): number {
    let bytes = rowBytes + 2 * (Buffer.byteLength(id) + Buffer.byteLength(type));
    // Once in their table, and once beside the event.
    for (const tag of tags) bytes += rowBytes + 6 * Buffer.byteLength(tag) + 2 * Buffer.byteLength(type);
    return bytes + this.lengthOf(metadataText) + this.lengthOf(dataText);
  }

  private lengthOf(value: unknown): number {
    // As hexadecimal digits.
    if (Buffer.isBuffer(value)) return 2 * value.length;
    if (typeof value !== 'string') return 0;
    // What it is at most will do, unless it is large.
    return value.length * 16 < this.most ? value.length * 3 : Buffer.byteLength(value) + (value.match(/["'\\]/g)?.length ?? 0);
  }
}

function tooLarge({ type, id }: StagedEvent, size: number, most: number): InvalidAppendError {
  return new InvalidAppendError(
    `The event "${id}" of type "${type}" takes ${size} bytes. This server takes ${most} in a packet: raise its max_allowed_packet, or store less.`,
  );
}
