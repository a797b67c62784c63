import { type Criterion, tag } from '../events/criterion';
import { digest } from '../events/digest';
import type { Upcasting } from '../events/upcasting';
import type { ClassModel, HandlerModel } from './class-model';
import { type IdValue, tagName, tagsOf } from './identity';
import type { HandlerOfClass, ListedClasses } from './listed-classes';

/** A tag that a boundary looks for on the events of a type. */
export interface WantedTag {
  readonly type: string;
  /** What the store knows it by: of stored events that upcasters read, with what tells these upcasters from others. */
  readonly property: string;
  /** The event's property; where a function of a class gives the value, `Class.id()`. */
  readonly source: string;
  /** Upcasters may have changed what it says: a tag that is there may be that of the stored value. */
  readonly isUpcast: boolean;
  /** What its tags begin with, up to the colon. */
  readonly tagName: string;
  /** The class that looks for it, or the first of several. */
  readonly class: string;
  /** The id that it tells. */
  readonly id: string;
}

const upcastBy = ' upcast by ';

function upcastProperty(property: string, steps: readonly string[]): string {
  return `${property}${upcastBy}${digest(steps)}`;
}

/** Says whether that is what the store knows a tag by that upcasters give. */
export function isUpcastProperty(property: string): boolean {
  return property.includes(upcastBy);
}

/** Which events instances share, and what tells them apart: the streams and tags that follow from the decorators. */
export class Boundaries {
  private readonly openness = new Map<ClassModel, boolean>();
  /** By event type: the handlers whose classes ask for tags. */
  private readonly taggedBy = new Map<string, readonly HandlerOfClass[]>();

  constructor(
    private readonly listed: Pick<ListedClasses, 'handlersOfType' | 'handledTypes'>,
    private readonly upcasting: Upcasting,
  ) {}

  /** Says whether an event of the aggregate may lie outside of its own stream, so that its boundary guards it. */
  isOpen(model: ClassModel): boolean {
    const known = this.openness.get(model);
    if (known !== undefined) return known;
    const isOpen = model.aggregate?.guard === 'boundary' || model.handlers.some((handler) => this.isShared(model, handler));
    this.openness.set(model, isOpen);
    return isOpen;
  }

  /** @returns the closed aggregate whose stream holds all events of the type, and its handler, if there is one. */
  ownerOf(type: string): HandlerOfClass | undefined {
    return this.listed.handlersOfType(type).find(({ model }) => model.aggregate !== undefined && !this.isOpen(model));
  }

  /** @returns the tags to index the event under: those that an open aggregate or a live projection asks for. */
  tagsOf(type: string, event: object): string[] {
    const askers = this.askersFor(type);
    if (askers.length === 0) return [];
    return [...new Set(askers.flatMap(({ model, handler }) => tagsOf(model, handler, event)))];
  }

  /** @returns what {@link tagsOf} tags events by: each property or function once for each event type. */
  wantedTags(): readonly WantedTag[] {
    const wanted = new Map<string, WantedTag>();
    for (const type of this.listed.handledTypes) {
      for (const { model, handler } of this.askersFor(type)) {
        for (const [index, source] of handler.sources.entries()) {
          const name = tagName(model, source, index);
          const property = typeof source === 'string' ? name : `${name}()`;
          const tag = { source: property, tagName: name, class: model.name, id: model.ids[index] ?? '' };
          for (const stored of this.upcasting.namesOf(type)) {
            const steps = this.upcasting.stepsFrom(stored);
            const upcast = { ...tag, type: stored, property: upcastProperty(property, steps), isUpcast: true };
            for (const one of [{ ...tag, type: stored, property, isUpcast: false }, ...(steps.length > 0 ? [upcast] : [])]) {
              const key = JSON.stringify([stored, one.property]);
              if (!wanted.has(key)) wanted.set(key, one);
            }
          }
        }
      }
    }
    return [...wanted.values()];
  }

  private askersFor(type: string): readonly HandlerOfClass[] {
    let askers = this.taggedBy.get(type);
    if (askers === undefined) {
      askers = this.listed.handlersOfType(type).filter(({ model }) => this.asksForTags(model));
      this.taggedBy.set(type, askers);
    }
    return askers;
  }

  private asksForTags(model: ClassModel): boolean {
    return model.projection?.mode === 'live' || (model.aggregate !== undefined && this.isOpen(model));
  }

  private isShared(model: ClassModel, handler: HandlerModel): boolean {
    if (handler.sources.some((source) => typeof source === 'function')) return true;
    if ((model.byType.get(handler.event.type)?.length ?? 0) > 1) return true;
    return this.sharers(model, handler.event.type).length > 0;
  }

  /** @returns the other aggregates that events of the type may belong to. */
  sharers(model: ClassModel, type: string): ClassModel[] {
    // What was stored as one event may belong to several classes by now.
    const types = new Set(this.upcasting.namesOf(type).flatMap((name) => this.upcasting.typesFrom(name)));
    const handlers = [...types.add(type)].flatMap((each) => this.listed.handlersOfType(each));
    const others = handlers.filter((other) => other.model !== model && other.model.aggregate !== undefined);
    return [...new Set(others.map((other) => other.model))];
  }
}

/** @returns the name of the stream in which an aggregate instance's events lie. */
export function streamName(model: ClassModel, values: readonly IdValue[]): string {
  if (values.length === 0) return model.name;
  if (values.length === 1) return `${model.name}:${String(values[0])}`;
  return `${model.name}:${values.map((value) => String(value).replace(/[\\|]/g, '\\$&')).join('|')}`;
}

/** @returns the query that an instance's state depends on: every name its events are stored under, with its ids' tags. */
export function criteriaOf(model: ClassModel, values: readonly IdValue[], upcasting: Upcasting): Criterion[] {
  const byTags = new Map<string, { types: string[]; tags: string[] }>();
  for (const { event, sources } of model.handlers) {
    const tags = sources.map((source, index) => tag(tagName(model, source, index), values[index]));
    const criterion = byTags.get(tags.join('\n')) ?? { types: [], tags };
    for (const name of upcasting.namesOf(event.type)) if (!criterion.types.includes(name)) criterion.types.push(name);
    byTags.set(tags.join('\n'), criterion);
  }
  return [...byTags.values()];
}
