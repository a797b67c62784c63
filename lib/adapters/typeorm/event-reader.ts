import type { Criterion } from '../../events/criterion';
import type { Position, RecordedEvent } from '../../events/recorded-event';
import { checkPage, checkQuery } from '../../store/check-input';
import type { EventQuery, Page, PageRequest } from '../../store/event-query';
import { EventStream } from '../../store/event-stream';
import { commonValues } from './locks-of';
import { checkPosition } from './positions';
import { eventOf } from './recorded-row';
import type { Selection } from './select-events';
import { isStorableKey } from './staged-append';
import type { EventRow } from './tables';
import type { Horizon } from './wake-ups';

/** Where rows are read. */
export interface RowSource {
  /** Whether commits may become visible in another order than that of their positions. */
  readonly isUnordered: boolean;
  /** Whether it is read within a transaction, whose own events belong to all it reads, be others under way or not. */
  readonly isJoined: boolean;
  select(selection: Selection): Promise<EventRow[]>;
  /** @returns how far one can read what matches; everything when there are no criteria. */
  horizon(criteria?: readonly Criterion[]): Promise<Horizon>;
}

/** So many events are read at first: enough for most streams. */
const firstChunkSize = 1_000;

/** So many are read at once when there are more. */
const chunkSize = 4_000;

/** What a query asks of the table, but for where it begins and ends. */
type Asked = Pick<Selection, 'stream' | 'afterVersion' | 'criteria'>;

/** Reads events, and never past one that may still come. */
export class EventReader {
  constructor(private readonly source: RowSource) {}

  read(query: EventQuery): EventStream {
    return new EventStream(() => this.chunks(query));
  }

  async page(query: EventQuery, request: PageRequest): Promise<Page<RecordedEvent>> {
    checkPage(query, request);
    const { after, before } = request as { readonly after?: string; readonly before?: string };
    for (const cursor of [after, before, query.after, query.before]) if (cursor !== undefined) checkPosition(cursor);
    const asked = askedBy(query);
    if (asked === undefined) return pageOf([], false, false);
    const upTo = this.mustHold(asked, query) ? await this.reach(asked.criteria) : undefined;
    if (upTo === 'nothing') return pageOf([], false, false);
    const isBackward = 'last' in request;
    const size = isBackward ? request.last : request.first;
    const bounds = { after: later(query.after, after), before: earlier(query.before, before), upTo };
    const rows = await this.source.select({ ...asked, ...bounds, isBackward, limit: size + 1 });
    const hasMore = rows.length > size;
    const items = rows.slice(0, size).map(eventOf);
    if (isBackward) return pageOf(items.reverse(), await this.isAnyFrom(asked, query, before, upTo), hasMore);
    return pageOf(items, hasMore, await this.isAnyUpTo(asked, query, after));
  }

  private async *chunks(query: EventQuery): AsyncGenerator<readonly RecordedEvent[], void> {
    checkQuery(query);
    for (const bound of [query.after, query.before]) if (bound !== undefined) checkPosition(bound);
    const asked = askedBy(query);
    if (asked === undefined || query.limit === 0) return;
    const mustHold = this.mustHold(asked, query);
    if (mustHold && query.direction !== 'backward' && asked.criteria === undefined) yield* this.readOn(query);
    else yield* this.readUpTo(asked, query, mustHold ? await this.reach(asked.criteria) : undefined);
  }

  /** Reads what follows on without a gap as it is; only at a gap it asks how far one can read. */
  private async *readOn(query: EventQuery): AsyncGenerator<readonly RecordedEvent[], void> {
    const { after = '0', limit = Number.POSITIVE_INFINITY, ...rest } = query;
    let last: string = after;
    let left = limit;
    let most = firstChunkSize;
    while (left > 0) {
      const size = Math.min(most, left);
      most = chunkSize;
      const rows = await this.source.select({ ...timesOf(rest), after: last, before: query.before, limit: size });
      const gap = rows.findIndex(({ position }, index) => Number(position) !== Number(last) + 1 + index);
      const contiguous = gap === -1 ? rows : rows.slice(0, gap);
      if (contiguous.length > 0) {
        last = (contiguous.at(-1) as EventRow).position;
        left -= contiguous.length;
        yield contiguous.map(eventOf);
      }
      if (gap !== -1) {
        const upTo = await this.reach();
        const isReached = upTo === 'nothing' || Number(upTo) <= Number(last);
        if (!isReached) yield* this.readUpTo({}, { ...query, after: last as Position, limit: left }, upTo);
        return;
      }
      if (rows.length < size) return;
    }
  }

  private async *readUpTo(
    asked: Asked,
    { after, before, direction, limit = Number.POSITIVE_INFINITY, ...rest }: EventQuery,
    upTo: string | undefined,
  ): AsyncGenerator<readonly RecordedEvent[], void> {
    if (upTo === 'nothing') return;
    const isBackward = direction === 'backward';
    const bounds = { ...timesOf(rest), after, before, upTo } as Record<'after' | 'before' | 'upTo', string | undefined>;
    let { afterVersion } = asked;
    let left = limit;
    let size = Math.min(firstChunkSize, left);
    let next = this.selectPage({ ...asked, ...bounds, isBackward, limit: size });
    for (;;) {
      const rows = await next;
      left -= rows.length;
      const last = rows.at(-1);
      if (last === undefined) return;
      const isEnd = rows.length < size || left <= 0;
      if (!isEnd) {
        if (isBackward) bounds.before = last.position;
        else if (asked.stream === undefined) bounds.after = last.position;
        else afterVersion = Number(last.version);
        // The next rows are on their way while these are worked on.
        size = Math.min(chunkSize, left);
        next = this.selectPage({ ...asked, afterVersion, ...bounds, isBackward, limit: size });
      }
      yield rows.map(eventOf);
      if (isEnd) return;
    }
  }

  private selectPage(selection: Selection): Promise<EventRow[]> {
    const rows = this.source.select(selection);
    rows.catch(() => undefined);
    return rows;
  }

  /** A stream's versions and the events of one boundary become visible in their order; all others may not. */
  private mustHold({ stream, criteria }: Asked, query: EventQuery): boolean {
    if (!this.source.isUnordered || stream !== undefined) return false;
    // With criteria it may be a boundary, and an append that is guarded by it would not see what comes later below it.
    if (query.criteria === undefined) return !this.source.isJoined;
    return criteria === undefined || commonValues(criteria).length === 0;
  }

  /** @returns the position up to which one can read; 'nothing' when there is nothing that one can. */
  private async reach(criteria?: readonly Criterion[]): Promise<string | 'nothing'> {
    return (await this.source.horizon(criteria)).position ?? 'nothing';
  }

  private async isAnyFrom(
    asked: Asked,
    query: EventQuery,
    cursor: string | undefined,
    upTo: string | undefined,
  ): Promise<boolean> {
    if (cursor === undefined) return false;
    const after = later(query.after, String(Number(cursor) - 1));
    return (await this.source.select({ ...asked, after, before: query.before, upTo, limit: 1 })).length > 0;
  }

  private async isAnyUpTo(asked: Asked, query: EventQuery, cursor: string | undefined): Promise<boolean> {
    if (cursor === undefined) return false;
    const selection = { ...asked, after: query.after, before: query.before, upTo: cursor, isBackward: true, limit: 1 };
    return (await this.source.select(selection)).length > 0;
  }
}

function pageOf(items: readonly RecordedEvent[], hasNextPage: boolean, hasPreviousPage: boolean): Page<RecordedEvent> {
  return { items, hasNextPage, hasPreviousPage, startCursor: items[0]?.position, endCursor: items.at(-1)?.position };
}

/** @returns what the query asks of the table; undefined when nothing can match. */
function askedBy({ stream, afterVersion, criteria, ...rest }: EventQuery): Asked | undefined {
  if (stream !== undefined && !isStorableKey(stream)) return undefined;
  const possible = criteria?.flatMap(possibleCriterion);
  if (possible?.length === 0) return undefined;
  return { stream, afterVersion, criteria: possible?.some(isUniversal) ? undefined : possible, ...timesOf(rest) };
}

function possibleCriterion({ types, tags = [] }: Criterion): Criterion[] {
  const possible = types?.filter(isStorableKey);
  if (possible?.length === 0 || !tags.every(isStorableKey)) return [];
  const distinct = [...new Set(tags)];
  return [{ ...(possible && { types: [...new Set(possible)] }), ...(distinct.length > 0 && { tags: distinct }) }];
}

function isUniversal({ types, tags }: Criterion): boolean {
  return types === undefined && tags === undefined;
}

function timesOf(query: EventQuery): Pick<Selection, 'afterTime' | 'beforeTime'> {
  const { afterTime, beforeTime } = query;
  return {
    ...(afterTime !== undefined && { afterTime: new Date(afterTime).toISOString() }),
    ...(beforeTime !== undefined && { beforeTime: new Date(beforeTime).toISOString() }),
  };
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Number(a) > Number(b) ? a : b;
}

function earlier(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Number(a) < Number(b) ? a : b;
}
