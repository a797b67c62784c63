import type { JsonSchema } from '../metadata/json-schema';
import type { Registry } from '../metadata/registry';
import { compareSchemas } from './compare-schemas';
import type { Contract, EventContract } from './contract';
import type { ContractChange, ContractChangeCode } from './contract-change';
import { eventNamed, type Reading, type ReadsVersion } from './reading';
import type { SchemaChange } from './schema-change';
import { isSame } from './stable-json';

/** What stored events are compared with. */
export interface ComparedWith {
  readonly current: Contract;
  readonly registry: Registry;
  readonly reads: ReadsVersion;
}

/** @returns what has changed for events that may be stored already, and which events are new. */
export function compareEvents(locked: Contract, compared: ComparedWith): ContractChange[] {
  const { events } = compared.current;
  const added = Object.keys(events).filter((name) => !Object.hasOwn(locked.events, name));
  return [
    ...Object.entries(locked.events).flatMap(([name, event]) => compareName({ name, locked: event }, locked, compared)),
    ...added.map((name) => change('EVENT_ADDED', { name, version: versionOf(events, name) }, { problem: 'it is new' })),
  ];
}

interface LockedName {
  readonly name: string;
  readonly locked: EventContract;
}

/** Each version that was ever written under a name is to be read. */
function compareName({ name, locked: event }: LockedName, locked: Contract, compared: ComparedWith): ContractChange[] {
  const target = eventNamed(compared.registry, name);
  if (target === undefined) return nameWithoutClass({ name, locked: event }, locked, compared);
  const current = compared.current.events[target.type] as EventContract;
  const { version } = current;
  const raised = version > event.version && target.type === name;
  return [
    ...(raised ? [change('VERSION_RAISED', { name, version }, { problem: `it was version ${event.version}` })] : []),
    ...Object.entries(event.shapes).flatMap(([written, shape]) => {
      if (Number(written) === version) return sameVersion({ name, shape }, current, target.type);
      return otherVersion({ name, version: Number(written) }, current, compared.reads(name, Number(written)));
    }),
  ];
}

function sameVersion(
  { name, shape }: { readonly name: string; readonly shape: JsonSchema },
  { class: className, version, shapes }: EventContract,
  type: string,
): ContractChange[] {
  const raise =
    `@Event('${type}', { version: ${version + 1} }) and @Upcasts(${className}, { from: ${version}, to: ${version + 1} })` +
    (type === name ? '' : `, also for the events named '${name}'`);
  return compareSchemas(shape, shapes[version] ?? {}).map(({ remedy, ...found }: SchemaChange) => ({
    ...found,
    name,
    version,
    remedy:
      found.kind === 'additive' ? remedy : [remedy, `raise the version: ${raise}`].filter((way) => way !== '').join('; or '),
  }));
}

function otherVersion(
  place: { readonly name: string; readonly version: number },
  { class: className, version: now }: EventContract,
  reading: Reading,
): ContractChange[] {
  if (reading === 'upcast' || reading === 'passed over' || reading === 'current') return [];
  if (place.version > now) {
    const problem = `version ${place.version} has been written, and the class is at version ${now}`;
    return [change('VERSION_LOWERED', place, { problem, remedy: `Give it a version of ${place.version} or more` })];
  }
  const problem = `no upcaster leads from version ${place.version} to version ${now}`;
  const remedy = `Write @Upcasts(${className}, { from: ${place.version}, to: ${place.version + 1} }) and list it in upcasters`;
  return [change('UPCASTER_MISSING', place, { problem, remedy })];
}

/** No class has the name: upcasters may know it, or it may be passed over. */
function nameWithoutClass({ name, locked: event }: LockedName, locked: Contract, compared: ComparedWith): ContractChange[] {
  const readings = Object.keys(event.shapes).map((version) => [Number(version), compared.reads(name, Number(version))] as const);
  const unread = readings.filter(([, reading]) => reading !== 'upcast' && reading !== 'passed over');
  if (unread.length === 0) {
    const problem = 'no class has it; its stored events are read by upcasters or passed over';
    return event.isRetired === true ? [] : [change('EVENT_RETIRED', { name }, { problem })];
  }
  if (readings.some(([, reading]) => reading === 'upcast' || reading === 'no upcaster')) {
    return unread.map(([version]) => {
      const remedy = `Write @Upcasts('${name}', { from: ${version}, … }) and list it in upcasters`;
      return change('UPCASTER_MISSING', { name, version }, { problem: `no upcaster leads on from version ${version}`, remedy });
    });
  }
  const heir = heirOf(event, locked, compared.current);
  if (heir !== undefined) {
    const { type, likeness } = heir;
    const { class: className, version } = heir.event;
    const aliases = [...(compared.registry.eventByType(type)?.aliases ?? []), name].map((alias) => `'${alias}'`).join(', ');
    const options = `{ ${version === 1 ? '' : `version: ${version}, `}aliases: [${aliases}] }`;
    const remedy = `Write @Event('${type}', ${options}) on ${className}, or give it the name '${name}' again`;
    return [change('EVENT_RENAMED', { name }, { problem: `no class has the name; "${type}", ${likeness}`, remedy })];
  }
  const remedy = `List the class ${event.class} again, or write @Upcasts('${name}', …) for what is stored under it`;
  return [change('EVENT_REMOVED', { name }, { problem: 'no class, alias or upcaster has the name', remedy })];
}

interface Heir {
  readonly type: string;
  readonly event: EventContract;
  readonly likeness: string;
}

/** @returns the event that is most likely this one under another name. */
function heirOf(event: EventContract, locked: Contract, current: Contract): Heir | undefined {
  const events = Object.entries(current.events);
  const added = events.filter(([name]) => !Object.hasOwn(locked.events, name));
  const isOfClass = ([, { class: className }]: (typeof events)[number]) => className === event.class;
  const isOfShape = ([, { version, shapes }]: (typeof events)[number]) => isSame(shapes[version], event.shapes[event.version]);
  const likeliest = added.find(isOfClass) ?? added.find(isOfShape);
  if (likeliest !== undefined) return { type: likeliest[0], event: likeliest[1], likeness: 'which is new, looks like it' };
  const known = events.find(isOfClass);
  return known && { type: known[0], event: known[1], likeness: `of the class ${event.class}, had it as an alias` };
}

const breakingCodes: readonly ContractChangeCode[] = ['EVENT_REMOVED', 'EVENT_RENAMED', 'UPCASTER_MISSING', 'VERSION_LOWERED'];

function change(
  code: ContractChangeCode,
  place: { readonly name: string; readonly version?: number },
  { problem, remedy = '' }: { readonly problem: string; readonly remedy?: string },
): ContractChange {
  return { kind: breakingCodes.includes(code) ? 'breaking' : 'additive', code, ...place, problem, remedy };
}

function versionOf(events: Contract['events'], name: string): number {
  return events[name]?.version ?? 1;
}
