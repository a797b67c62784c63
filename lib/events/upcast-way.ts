import type { EventIdentity } from './decode';
import type { UpcastStage, UpcastStep, VersionOfEvent } from './upcast-step';

/** What stored events of one name are read as. */
export interface NamedEvents {
  /** The event that has the name, or has it as an alias; undefined for a name that only upcasters know. */
  readonly event: EventIdentity | undefined;
  /** By the version that they lead on from. */
  readonly steps: ReadonlyMap<number, UpcastStep>;
}

/** How events of one name and version are led on, up to where they are instances, or are split. */
export interface UpcastWay {
  readonly stages: readonly UpcastStage[];
  /** The name and version that the stages lead to. */
  readonly to: VersionOfEvent;
  /** The event that has the name; undefined for a name that only upcasters know. */
  readonly event: EventIdentity | undefined;
  /** Whether that is the version of its class. */
  readonly isCurrent: boolean;
  /** Who made what comes to its end; undefined where nobody did. */
  readonly last: UpcastStage | undefined;
  /** The upcaster that splits what has come there, and how its events go on; undefined unless one does. */
  readonly split: UpcastSplit | undefined;
}

/** How the events go on that one is split into. */
export interface UpcastSplit {
  readonly stage: UpcastStage;
  readonly ways: ReadonlyMap<VersionOfEvent, UpcastWay>;
}

/** Finds ways once, so that events can take them without looking for the next step. */
export class UpcastWays {
  private readonly known = new Map<string, Map<number, UpcastWay>>();

  constructor(private readonly names: ReadonlyMap<string, NamedEvents>) {}

  /** @returns the way from what is stored; undefined for a name that nothing is known of. */
  from(type: string, version: number): UpcastWay | undefined {
    return this.known.get(type)?.get(version) ?? this.found({ type, version });
  }

  private found(from: VersionOfEvent): UpcastWay | undefined {
    if (!this.names.has(from.type)) return undefined;
    const way = this.find(from);
    const versions = this.known.get(from.type) ?? new Map<number, UpcastWay>();
    this.known.set(from.type, versions.set(from.version, way));
    return way;
  }

  private find(from: VersionOfEvent, splitBy?: UpcastStage): UpcastWay {
    const stages: UpcastStage[] = [];
    let last = splitBy;
    for (let to = from; ; ) {
      const { event, steps } = this.names.get(to.type) as NamedEvents;
      const isCurrent = event?.schemaVersion === to.version;
      const step = isCurrent ? undefined : steps.get(to.version);
      if (step === undefined) return { stages, to, event, isCurrent, last, split: undefined };
      const stage: UpcastStage = { ...step, before: last === undefined ? [] : [...last.before, last] };
      if (step.upcaster.isSplit) return { stages, to, event, isCurrent, last, split: this.split(stage) };
      stages.push(stage);
      last = stage;
      to = step.targets[0] as VersionOfEvent;
    }
  }

  private split(stage: UpcastStage): UpcastSplit {
    return { stage, ways: new Map([...stage.byEvent.values()].map((target) => [target, this.find(target, stage)])) };
  }
}
