import type { Appended, LockMode } from './dialect';
import { isAppendedAlone, type Lock, locksOf, manyLocks } from './locks-of';
import type { Outcome, StagedAppend, StagedEvent, StagedGroup } from './staged-append';

/** No stream has this version: the column holds no higher one. */
const highestVersion = 2 ** 31 - 1;

/** A call of a function that appends: its parameters, and what its answer means. */
export interface AppendCall<Row extends object> {
  /** Which function. That for one event answers with a text, `answer`; that for many with a row. */
  readonly kind: 'one' | 'many';
  readonly parameters: readonly unknown[];
  appended(row: Row): Appended;
}

/** @returns the call that appends the groups. Most appends hold one event, for which there is a shorter way. */
export function appendCall(groups: readonly StagedGroup[], mode: LockMode): AppendCall<object> {
  const [append, ...others] = groups.flat();
  const isOne = append !== undefined && others.length === 0 && append.events.length === 1;
  return (isOne ? new AppendOneCall(append, mode) : new AppendManyCall(groups, mode)) as AppendCall<object>;
}

interface AppendedRow {
  readonly answer: string;
}

/** The call of the function for one event. It knows itself of the locks on the stream and the type. */
class AppendOneCall implements AppendCall<AppendedRow> {
  readonly kind = 'one';
  readonly parameters: readonly unknown[];

  constructor(
    private readonly append: StagedAppend,
    mode: LockMode,
  ) {
    const { stream, guard, events } = append;
    const { id, type, schemaVersion, time, tags, metadataText, dataText } = events[0] as StagedEvent;
    const condition = 'condition' in guard ? guard.condition : undefined;
    const locks = tags.length > 0 || condition !== undefined ? locksOf([append]) : [];
    const isAlone = mode === 'alone' || isAppendedAlone([append]);
    this.parameters = [
      isAlone ? 'alone' : mode,
      keysOf(locks, true, `s${stream}`),
      keysOf(locks, false, `t${type}`),
      stream,
      expectedBy(append),
      condition?.after ?? '0',
      condition?.criteria.map(({ types }) => types && arrayText(types)),
      condition?.criteria.map(({ tags: wanted = [] }) => arrayText(wanted)),
      id,
      type,
      schemaVersion,
      time,
      tags.length === 0 ? null : JSON.stringify(tags),
      metadataText,
      dataText,
      tags.length === 0 ? null : tags,
    ];
  }

  appended({ answer }: AppendedRow): Appended {
    if (!answer.startsWith('stored:')) return { outcomes: [refusalOf(answer, this.append)], previous: undefined };
    const [, base, position, previous] = answer.split(':') as [string, string, string, string];
    const outcome: Outcome = { kind: 'stored', bases: [Number(base)], positions: [position] };
    return { outcomes: [outcome], previous: previous === '' ? undefined : previous };
  }
}

function keysOf(locks: readonly Lock[], isExclusive: boolean, known: string): string[] | null {
  const keys = locks.flatMap((lock) => (lock.isExclusive === isExclusive && lock.key !== known ? [lock.key] : []));
  return keys.length === 0 ? null : keys;
}

interface AppendedRows {
  readonly bases: readonly number[];
  readonly positions: readonly string[] | null;
  readonly refusals: readonly string[];
  readonly newest_before: string | null;
}

/** The call of the function for many. */
class AppendManyCall implements AppendCall<AppendedRows> {
  readonly kind = 'many';
  readonly parameters: readonly unknown[];
  private readonly appends: readonly { readonly group: number; readonly append: StagedAppend }[];

  constructor(
    private readonly groups: readonly StagedGroup[],
    mode: LockMode,
  ) {
    this.appends = groups.flatMap((group, index) => group.map((append) => ({ group: index + 1, append })));
    const locks = groups.flatMap((group, index) => locksOf(group).map((lock) => ({ group: index + 1, ...lock })));
    const isAlone = mode === 'alone' || groups.some(isAppendedAlone) || new Set(locks.map(({ key }) => key)).size > manyLocks;
    this.parameters = [
      isAlone ? 'alone' : mode,
      this.isSimple,
      ...lockParameters(isAlone ? [] : locks),
      ...this.appendParameters(),
      ...this.conditionParameters(),
      ...this.eventParameters(),
    ];
  }

  appended({ bases, positions, refusals, newest_before: previous }: AppendedRows): Appended {
    const refused = new Map<number, Outcome>();
    for (const refusal of refusals) {
      const { group, outcome } = this.refusalIn(refusal);
      const before = refused.get(group);
      if (before === undefined || outcome.kind === 'duplicate' || isNewer(outcome, before)) refused.set(group, outcome);
    }
    let append = 0;
    let event = 0;
    const outcomes = this.groups.map((group, index): Outcome => {
      const [firstAppend, firstEvent] = [append, event];
      append += group.length;
      for (const { events } of group) event += events.length;
      return (
        refused.get(index + 1) ?? {
          kind: 'stored',
          bases: bases.slice(firstAppend, append),
          positions: positions?.slice(firstEvent, event) ?? [],
        }
      );
    });
    return { outcomes, previous: previous ?? undefined };
  }

  private refusalIn(refusal: string): { group: number; outcome: Outcome } {
    const [group, append, ...rest] = refusal.split(':');
    const refused = this.appends[Number(append) - 1]?.append as StagedAppend;
    return { group: Number(group), outcome: refusalOf(rest.join(':'), refused) };
  }

  private get isSimple(): boolean {
    const streams = new Set(this.appends.map(({ append }) => append.stream));
    return streams.size === this.groups.length && this.appends.length === this.groups.length;
  }

  private appendParameters(): unknown[] {
    const { appends } = this;
    const first = new Map<string, number>();
    for (const [index, { append }] of appends.entries()) if (!first.has(append.stream)) first.set(append.stream, index + 1);
    return [
      appends.map(({ group }) => group),
      appends.map(({ append }) => append.stream),
      appends.map(({ append }) => first.get(append.stream)),
      appends.map(({ append }) => expectedBy(append)),
      appends.map(({ append }) => append.events.length),
    ];
  }

  private conditionParameters(): unknown[] {
    const branches = this.appends.flatMap(({ append: { guard } }, index) => {
      if (!('condition' in guard)) return [];
      const { criteria, after = '0' } = guard.condition;
      return criteria.map((criterion) => ({ append: index + 1, after, ...criterion }));
    });
    if (branches.length === 0) return [null, null, null, null];
    return [
      branches.map(({ append }) => append),
      branches.map(({ after }) => after),
      branches.map(({ types }) => types && arrayText(types)),
      branches.map(({ tags = [] }) => arrayText(tags)),
    ];
  }

  private eventParameters(): unknown[] {
    const events = this.appends.flatMap(({ append }, index) =>
      append.events.map((event, number) => ({ append: index + 1, number: number + 1, stream: append.stream, event })),
    );
    const tags = events.flatMap(({ event }, index) => event.tags.map((tag) => ({ event: index + 1, tag, type: event.type })));
    return [
      events.map(({ append }) => append),
      events.map(({ number }) => number),
      events.map(({ stream }) => stream),
      events.map(({ event }) => event.id),
      events.map(({ event }) => event.type),
      events.map(({ event }) => event.schemaVersion),
      events.map(({ event }) => event.time),
      events.map(({ event }) => (event.tags.length === 0 ? null : JSON.stringify(event.tags))),
      events.map(({ event }) => event.metadataText),
      events.map(({ event }) => event.dataText),
      ...(tags.length === 0
        ? [null, null, null]
        : [tags.map(({ event }) => event), tags.map(({ tag }) => tag), tags.map(({ type }) => type)]),
    ];
  }
}

function lockParameters(locks: readonly (Lock & { readonly group: number })[]): unknown[] {
  return [locks.map(({ group }) => group), locks.map(({ key }) => key), locks.map(({ isExclusive }) => isExclusive)];
}

/** A text that PostgreSQL reads as an array of texts. */
function arrayText(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

function expectedBy({ guard }: StagedAppend): number {
  if (!('version' in guard) || guard.version === 'any') return -1;
  if (guard.version === 'exists') return -2;
  return guard.version === 'none' ? 0 : Math.min(guard.version, highestVersion);
}

function isNewer(outcome: Outcome, than: Outcome): boolean {
  if (outcome.kind !== 'conflict' || than.kind !== 'conflict' || outcome.append !== than.append) return false;
  return Number(outcome.actual) > Number(than.actual);
}

/** @param refusal As the functions write it: a kind, and what belongs to it. */
function refusalOf(refusal: string, append: StagedAppend): Outcome {
  const end = refusal.indexOf(':');
  const value = refusal.slice(end + 1);
  switch (refusal.slice(0, end)) {
    case 'busy':
      return { kind: 'busy' };
    case 'duplicate':
      return { kind: 'duplicate', id: value };
    case 'version':
      return { kind: 'conflict', append, actual: Number(value) };
    default:
      return { kind: 'conflict', append, actual: value };
  }
}
