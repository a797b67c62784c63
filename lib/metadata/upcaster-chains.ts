import { CheckedUpcasting, type OnInvalid } from '../events/checked-upcasting';
import { type Class, nameOf } from '../events/event-class';
import { nearestName } from '../events/nearest-name';
import { PassedOver } from '../events/passed-over';
import type { UpcastStep, VersionOfEvent } from '../events/upcast-step';
import type { NamedEvents } from '../events/upcast-way';
import type { Upcaster } from '../events/upcaster';
import { Upcasting } from '../events/upcasting';
import { type EventModel, eventModel } from './class-model';
import type { Mistake, MistakeCode } from './mistake';

/** What stored events are to be read as, and by whom. */
export interface ChainsOptions {
  /** The registered events. */
  readonly events: readonly EventModel[];
  readonly upcasters: readonly Upcaster[];
  readonly passOver: readonly string[];
  /** Hears of stored events that break the rules of their classes; they are not asked unless given. */
  readonly onInvalid?: OnInvalid | undefined;
}

/** So many gaps of one event are told of at once. */
const mostGaps = 20;

/** The ways that upcasters lead, from the versions that are stored to those of the classes. */
export class UpcasterChains {
  readonly mistakes: Mistake[] = [];
  private readonly byName = new Map<string, EventModel>();
  private readonly passedOver: PassedOver;
  /** By name and version: the step that leads on from there. */
  private readonly steps = new Map<string, Map<number, UpcastStep>>();

  /** @throws {@link InvalidArgumentError} when `passOver` holds what is no stored name and no family. */
  constructor(private readonly options: ChainsOptions) {
    this.passedOver = new PassedOver(options.passOver);
    for (const event of options.events) for (const name of [event.type, ...event.aliases]) this.byName.set(name, event);
    for (const upcaster of options.upcasters) this.add(upcaster);
    for (const steps of this.steps.values()) for (const step of steps.values()) this.checkStep(step);
    for (const [type, steps] of this.steps) this.checkVersions(type, steps);
    this.checkCycles();
    for (const name of options.passOver) this.checkPassedOver(name);
  }

  /** @returns what reads by these ways, once there are no mistakes. */
  upcasting(): Upcasting {
    const names = new Map<string, NamedEvents>();
    for (const [name, event] of this.byName) names.set(name, { event, steps: this.stepsFrom(event.type) });
    for (const [name, steps] of this.steps) if (!names.has(name)) names.set(name, { event: undefined, steps });
    const sources = new Map<string, string[]>();
    for (const { type, aliases } of this.options.events) sources.set(type, [type, ...aliases]);
    for (const name of names.keys()) {
      for (const type of this.reached(this.byName.get(name)?.type ?? name)) {
        const leading = sources.get(type);
        if (leading !== undefined && !leading.includes(name)) leading.push(name);
      }
    }
    const { onInvalid } = this.options;
    const options = { names, sources, passedOver: this.passedOver };
    return onInvalid === undefined ? new Upcasting(options) : new CheckedUpcasting(options, onInvalid);
  }

  private add(upcaster: Upcaster): void {
    const source = this.nameFor(upcaster, upcaster.source);
    const targets = upcaster.into.map(({ event, version }) => [event, this.nameFor(upcaster, event), version] as const);
    if (source === undefined) return;
    const named = targets.flatMap(([event, type, version]) => (type === undefined ? [] : [{ event, type, version }]));
    if (named.length < targets.length) return;
    const steps = this.steps.get(source) ?? new Map<number, UpcastStep>();
    this.steps.set(source, steps);
    const other = steps.get(upcaster.from);
    if (other !== undefined) {
      const problem = `it leads on from "${source}" version ${upcaster.from}, as ${placeOf(other.upcaster)} does`;
      this.report(upcaster, 'TWO_UPCASTERS', problem, 'Remove one of the two: one way leads on from each version');
      return;
    }
    const byEvent = new Map<Class | string, VersionOfEvent>();
    for (const { event, type, version } of named) byEvent.set(event, { type, version });
    steps.set(upcaster.from, { upcaster, targets: named, byEvent });
  }

  private nameFor(upcaster: Upcaster, event: Class | string): string | undefined {
    if (typeof event === 'string') return this.byName.get(event)?.type ?? event;
    const model = eventModel(event);
    if (model !== undefined && this.byName.get(model.type)?.class === event) return model.type;
    const remedy =
      model === undefined ? `Put @Event() on ${event.name}` : `List ${event.name} in classes, or give its stored name as text`;
    this.report(upcaster, 'UPCASTER_OF_NO_EVENT', `${nameOf(event)} is no registered event`, remedy);
    return undefined;
  }

  private checkStep({ upcaster, targets }: UpcastStep): void {
    const source = this.nameFor(upcaster, upcaster.source) as string;
    const model = this.byName.get(source);
    // Where it leads to another version of the same event, that version is told of.
    const isToldOf = targets.some(({ type, version }) => type === source && version > (model?.schemaVersion ?? version));
    if (model !== undefined && upcaster.from >= model.schemaVersion && !isToldOf)
      this.report(
        upcaster,
        'UPCASTER_AHEAD',
        `it leads on from "${source}" version ${upcaster.from}, and ${model.class.name} is at version ${model.schemaVersion}`,
        `Raise the version: @Event('${source}', { version: ${upcaster.from + 1} })`,
      );
    for (const target of targets) this.checkTarget(upcaster, target);
  }

  private checkTarget(upcaster: Upcaster, { type, version }: VersionOfEvent): void {
    const model = this.byName.get(type);
    if (model === undefined && !this.steps.has(type)) {
      const nearest = nearestName(type, [...this.byName.keys(), ...this.steps.keys()]);
      const remedy =
        nearest === undefined ? 'List its class in classes' : `Did you mean "${nearest}"? Or list its class in classes`;
      this.report(upcaster, 'UPCASTER_OF_NO_EVENT', `it leads to "${type}", which no registered event has as its name`, remedy);
    } else if (model !== undefined && version > model.schemaVersion) {
      const problem = `it leads to "${type}" version ${version}, and ${model.class.name} is at version ${model.schemaVersion}`;
      this.report(upcaster, 'UPCASTER_AHEAD', problem, `Raise the version: @Event('${type}', { version: ${version} })`);
    } else if (model?.schemaVersion !== version && !this.stepsFrom(type).has(version)) {
      const wanted = model === undefined ? 'into: …' : `to: ${model.schemaVersion}`;
      const problem = `it leads to "${type}" version ${version}, from where nothing leads on`;
      const remedy = `Write @Upcasts(${nameIn(model, type)}, { from: ${version}, ${wanted} })`;
      this.mistakes.push({ code: 'UPCASTER_GAP', ...upcaster.place, event: { type, version }, problem, remedy });
    }
  }

  /** Who upcasts any version of an event has to say of each what becomes of it. */
  private checkVersions(type: string, steps: ReadonlyMap<number, UpcastStep>): void {
    const model = this.byName.get(type);
    const led = new Set(
      [...this.steps.values()].flatMap((all) => [...all.values()].flatMap(({ targets }) => targets.map(keyOf))),
    );
    let gaps = 0;
    // A version that is written as a date leaves millions of them.
    for (let version = 1; version < (model?.schemaVersion ?? 1) && gaps < mostGaps; version += 1) {
      // Who leads there is told of it already.
      if (steps.has(version) || led.has(keyOf({ type, version }))) continue;
      gaps += 1;
      this.mistakes.push({
        code: 'UPCASTER_GAP',
        class: nameIn(model, type),
        event: { type, version },
        problem: `no upcaster leads on from its version ${version}`,
        remedy: `Write @Upcasts(${nameIn(model, type)}, { from: ${version}, to: ${version + 1} })`,
      });
    }
  }

  private checkCycles(): void {
    const done = new Set<string>();
    for (const [type, steps] of this.steps) for (const version of steps.keys()) this.visit({ type, version }, [], done);
  }

  private visit(at: VersionOfEvent, path: readonly VersionOfEvent[], done: Set<string>): void {
    const begun = path.findIndex((one) => keyOf(one) === keyOf(at));
    const step = this.steps.get(at.type)?.get(at.version);
    if (begun >= 0 && step !== undefined) {
      const round = [...path.slice(begun), at].map(({ type, version }) => `"${type}" version ${version}`).join(' → ');
      this.report(step.upcaster, 'UPCASTER_CYCLE', `it leads back to where it began: ${round}`, 'Remove one of them');
      return;
    }
    if (step === undefined || done.has(keyOf(at))) return;
    for (const target of step.targets) this.visit(target, [...path, at], done);
    done.add(keyOf(at));
  }

  private checkPassedOver(name: string): void {
    const model = this.byName.get(name);
    if (model === undefined && !this.steps.has(name)) return;
    const problem = `"${name}" is passed over, and ${model === undefined ? 'an upcaster reads it' : `is a name of ${model.class.name}`}`;
    const remedy = 'Remove it from passOver';
    this.mistakes.push({ code: 'PASSED_OVER_EVENT', class: model?.class.name ?? 'passOver', problem, remedy });
  }

  private stepsFrom(type: string): ReadonlyMap<number, UpcastStep> {
    return this.steps.get(type) ?? new Map();
  }

  /** @returns the names that a name leads to, itself included. */
  private reached(type: string, known = new Set<string>()): Set<string> {
    if (known.has(type)) return known;
    known.add(type);
    for (const { targets } of this.stepsFrom(type).values()) for (const target of targets) this.reached(target.type, known);
    return known;
  }

  private report({ place }: Upcaster, code: MistakeCode, problem: string, remedy: string): void {
    this.mistakes.push({ code, ...place, problem, remedy });
  }
}

function keyOf({ type, version }: VersionOfEvent): string {
  return `${version}:${type}`;
}

function nameIn(model: EventModel | undefined, type: string): string {
  return model?.class.name ?? JSON.stringify(type);
}

function placeOf({ place }: Upcaster): string {
  return place.member === undefined ? place.class : `${place.class}.${place.member}`;
}
