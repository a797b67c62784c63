import type { AggregateContract, Contract, IdentityContract, ProjectionContract } from './contract';
import type { ContractChange, ContractChangeCode } from './contract-change';
import { isSame } from './stable-json';

/** @returns what has changed of aggregates, whose streams are named by them, and projections, whose state is kept. */
export function compareIdentities(locked: Contract, current: Contract, namesOf: NamesOf): ContractChange[] {
  const isRaised = (type: string) => versionOf(current, type) > versionOf(locked, type);
  return [
    ...compareAggregates(locked.aggregates, current.aggregates, isRaised),
    ...movedEvents(locked.aggregates, current.aggregates, namesOf),
    ...compareProjections(locked.projections, current.projections),
  ];
}

function versionOf({ events }: Contract, type: string): number {
  return Object.hasOwn(events, type) ? (events[type]?.version ?? 0) : 0;
}

/** Tells the names that events are stored under which are read as those of a name. */
type NamesOf = (type: string) => readonly string[];

/** Says of the stored name of an event whether its class has a higher version than it had. */
type IsRaised = (type: string) => boolean;

type Named<T> = Readonly<Record<string, T>>;

function compareAggregates(was: Named<AggregateContract>, is: Named<AggregateContract>, isRaised: IsRaised): ContractChange[] {
  const added = Object.entries(is).filter(([name]) => !Object.hasOwn(was, name));
  return [
    ...Object.entries(was).flatMap(([name, before]) => {
      const after = Object.hasOwn(is, name) ? is[name] : undefined;
      if (after !== undefined) return compareAggregate(name, [before, after], isRaised);
      const heir = heirOf(before, added);
      return [heir === undefined ? removed(name) : renamed(name, heir)];
    }),
    ...added.map(([name]) => note('AGGREGATE_ADDED', name, 'it is a new aggregate')),
  ];
}

function heirOf(before: AggregateContract, added: readonly (readonly [string, AggregateContract])[]): string | undefined {
  return (added.find(([, other]) => other.class === before.class) ?? added.find(([, other]) => isAlike(before, other)))?.[0];
}

/** Events lie in the streams of the aggregate that emitted them, and one that is guarded by its stream looks in no other. */
function movedEvents(was: Named<AggregateContract>, is: Named<AggregateContract>, namesOf: NamesOf): ContractChange[] {
  const added = Object.entries(is).filter(([name]) => !Object.hasOwn(was, name));
  return Object.entries(is).flatMap(([name, { guard, handles }]) => {
    if (guard === 'boundary') return [];
    return Object.keys(handles)
      .flatMap(namesOf)
      .flatMap((type) => {
        const owners = Object.entries(was).filter(([, before]) => Object.hasOwn(before.handles, type));
        // What was renamed is told as that.
        const isOwn = owners.some(
          ([owner, before]) => owner === name || (!Object.hasOwn(is, owner) && heirOf(before, added) === name),
        );
        if (isOwn || owners.length === 0) return [];
        const problem = `events of "${type}" lie in the streams of ${owners.map(([owner]) => owner).join(' and ')}, and it looks in its own`;
        return [
          breaking('EVENT_MOVED', name, problem, "Write @Aggregate({ guard: 'boundary' }), and open once with retag: true"),
        ];
      });
  });
}

/** The class may have been renamed, and its name is that of its streams where no other is given. */
function isAlike(one: AggregateContract, other: AggregateContract): boolean {
  return isSame([one.ids, one.handles], [other.ids, other.handles]);
}

function removed(name: string): ContractChange {
  return note('AGGREGATE_REMOVED', name, 'the aggregate is gone', 'Its events stay stored');
}

function renamed(name: string, heir: string): ContractChange {
  const problem = `the aggregate is named "${heir}" now, and its streams are not`;
  return breaking('AGGREGATE_RENAMED', name, problem, `Write @Aggregate({ name: '${name}' })`);
}

function compareAggregate(
  name: string,
  [before, after]: readonly [AggregateContract, AggregateContract],
  isRaised: IsRaised,
): ContractChange[] {
  const isLedOn = [before, after].every(({ guard }) => guard === 'boundary') && isUpcast(before, after, isRaised);
  return [
    ...identityChanges(before, after).map(({ code, problem }) =>
      isLedOn
        ? note(code, name, `${problem}, as upcasters give them`, 'Open once with retag: true')
        : breaking(code, name, problem, 'Keep the ids as they were, or make it a new aggregate, with events of its own'),
    ),
    ...(before.guard === after.guard ? [] : [guardChange(name, after)]),
  ];
}

/** Says whether ids are told by the same properties as before, but for events whose upcasters may have changed these. */
function isUpcast(before: IdentityContract, after: IdentityContract, isRaised: IsRaised): boolean {
  const sources = ({ ids, handles }: IdentityContract, type: string) =>
    (handles[type] ?? []).map((map) => JSON.stringify(ids.map((id) => map[id]))).sort();
  const both = Object.keys(before.handles).filter((type) => Object.hasOwn(after.handles, type));
  return (
    before.ids.length === after.ids.length &&
    both.every((type) => isRaised(type) || isSame(sources(before, type), sources(after, type)))
  );
}

function guardChange(name: string, { guard }: AggregateContract): ContractChange {
  if (guard === 'boundary')
    return note('GUARD_CHANGED', name, 'it was guarded by its stream, and is by its boundary', 'Open once with retag: true');
  const problem = 'it was guarded by its boundary, and is by its stream, which may not hold all its events';
  return breaking('GUARD_CHANGED', name, problem, "Write @Aggregate({ guard: 'boundary' })");
}

function compareProjections(was: Named<ProjectionContract>, is: Named<ProjectionContract>): ContractChange[] {
  return [
    ...Object.entries(was).flatMap(([name, before]) => {
      const after = Object.hasOwn(is, name) ? is[name] : undefined;
      if (after === undefined) return [gone(name, before)];
      return compareProjection(name, before, after);
    }),
    ...Object.keys(is)
      .filter((name) => !Object.hasOwn(was, name))
      .map((name) => note('PROJECTION_ADDED', name, `it is a new ${is[name]?.kind === 'reactor' ? 'reactor' : 'projection'}`)),
  ];
}

function gone(name: string, { kind }: ProjectionContract): ContractChange {
  if (kind !== 'reactor') return note('PROJECTION_REMOVED', name, 'the projection is gone', 'What it kept stays');
  const remedy = `Its place in the log stays. If it has another name now, it begins anew: write @Reactor({ name: '${name}' })`;
  return note('PROJECTION_REMOVED', name, 'the reactor is gone', remedy);
}

function compareProjection(name: string, before: ProjectionContract, after: ProjectionContract): ContractChange[] {
  if (after.version < before.version) {
    const problem = `it was version ${before.version} and is version ${after.version}`;
    return [breaking('PROJECTION_VERSION_LOWERED', name, problem, `Give it a version of ${before.version} or more`)];
  }
  if (after.version > before.version)
    return [note('PROJECTION_CHANGED', name, `it is version ${after.version}, and will be built anew`)];
  const isKept = [before, after].every(({ mode, kind }) => mode !== 'live' && kind !== 'reactor');
  const raise = `Write @Projection({ version: ${after.version + 1} }), and it is built anew`;
  return [
    ...identityChanges(before, after).map(({ code, problem }) =>
      isKept ? breaking(code, name, `${problem}; what is kept was folded otherwise`, raise) : note(code, name, problem),
    ),
    ...handled(before, after).map((problem) => note('PROJECTION_CHANGED', name, problem, isKept ? raise : '')),
    ...(['mode', 'kind'] as const)
      .filter((key) => before[key] !== after[key])
      .map((key) =>
        note('PROJECTION_CHANGED', name, `its ${key} was ${before[key] ?? 'not given'} and is ${after[key] ?? 'not given'}`),
      ),
  ];
}

function handled(before: IdentityContract, after: IdentityContract): string[] {
  const gone = Object.keys(before.handles).filter((type) => !Object.hasOwn(after.handles, type));
  const added = Object.keys(after.handles).filter((type) => !Object.hasOwn(before.handles, type));
  return [...gone.map((type) => `it handles "${type}" no more`), ...added.map((type) => `it handles "${type}" too`)];
}

/** What says which instance an event belongs to. */
function identityChanges(before: IdentityContract, after: IdentityContract): { code: ContractChangeCode; problem: string }[] {
  if (!isSame(before.ids, after.ids)) {
    const listed = (ids: readonly string[]) => ids.join(', ') || 'none';
    return [{ code: 'IDS_CHANGED', problem: `its ids were ${listed(before.ids)} and are ${listed(after.ids)}` }];
  }
  return Object.entries(before.handles).flatMap(([type, maps]) => {
    const now = Object.hasOwn(after.handles, type) ? after.handles[type] : undefined;
    if (now === undefined || isSame(inOrder(maps), inOrder(now))) return [];
    return { code: 'ID_MAP_CHANGED' as const, problem: `"${type}" belonged to ${mapText(maps)}, and belongs to ${mapText(now)}` };
  });
}

function inOrder(maps: IdentityContract['handles'][string]): string[] {
  return maps.map((map) => mapText([map])).sort();
}

function mapText(maps: IdentityContract['handles'][string]): string {
  const one = (map: (typeof maps)[number]) =>
    Object.entries(map)
      .map(([id, source]) => `${id} = ${typeof source === 'string' ? source : 'a function'}`)
      .join(', ');
  return maps.map((map) => `{ ${one(map)} }`).join(' and ');
}

function breaking(code: ContractChangeCode, name: string, problem: string, remedy: string): ContractChange {
  return { kind: 'breaking', code, name, problem, remedy };
}

function note(code: ContractChangeCode, name: string, problem: string, remedy = ''): ContractChange {
  return { kind: 'additive', code, name, problem, remedy };
}
