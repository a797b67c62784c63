import type { Position, RecordedEvent } from '../events/recorded-event';
import type { WantedTag } from '../metadata/boundaries';
import type { Registry } from '../metadata/registry';
import type { EventStore } from '../store/event-store';
import { type AddedTags, keyOf, type PositionRange, type TagCoverage, type TagSources } from '../store/tag-sources';
import { TagsForOthers } from './tags-for-others';
import { UntaggableEventError } from './untaggable-event-error';
import { type UntaggedEvents, UntaggedEventsError } from './untagged-events-error';

/** So many events get their tags in one transaction; a run that is killed goes on at the last of them. */
const pageSize = 500;

/** Events that lack a tag are counted up to here: a start is refused for one as for all. */
const countedUpTo = 100_000;

/** Sees to it that boundaries find the events that belong to them, whenever and by whom these were appended. */
export class TagIndex {
  /** What other processes look for on events that are appended here. */
  readonly forOthers = new TagsForOthers();

  constructor(private readonly store: EventStore) {}

  /**
   * Looks for events that lack a tag which the classes ask for, among those that were appended since the last look.
   *
   * @throws {@link UntaggedEventsError} when there are any.
   */
  async check(registry: Registry): Promise<void> {
    const { tagSources } = this.store;
    if (tagSources === undefined) return;
    const recorded = await tagSources.recorded();
    this.forOthers.learn(registry, recorded);
    const upTo = await this.store.head();
    const open = openSources(registry, recorded, upTo);
    const untagged: UntaggedEvents[] = [];
    for (const { wanted, after } of open) {
      const count = upTo === undefined ? 0 : await this.countLacking(tagSources, registry, wanted, { after, upTo });
      const { type, source: property, class: className, id } = wanted;
      if (count > 0) untagged.push({ class: className, id, type, property, count });
    }
    if (untagged.length > 0) throw new UntaggedEventsError(untagged);
    await recordReached(tagSources, open, upTo);
  }

  /**
   * Adds the tags that the classes ask for to the events that lack them.
   *
   * @returns how many events got a tag.
   * @throws {@link UntaggableEventError} when an event does not say to which instances it belongs.
   */
  async complete(registry: Registry): Promise<number> {
    const { tagSources } = this.store;
    if (tagSources === undefined) return this.completeAll(registry);
    // Told first, so that who opens from here on tags what it appends.
    const before = await tagSources.recorded();
    await tagSources.record(newSources(registry, before));
    const recorded = await tagSources.recorded();
    this.forOthers.learn(registry, recorded);
    const upTo = await this.store.head();
    if (upTo === undefined) return 0;
    let count = 0;
    for (const { wanted, after } of openSources(registry, recorded, upTo))
      count += await this.fill(tagSources, registry, wanted, { after, upTo });
    return count;
  }

  /** A store that remembers nothing of its tags is asked about every event. */
  private async completeAll(registry: Registry): Promise<number> {
    const types = [...new Set(registry.boundaries.wantedTags().map(({ type }) => type))];
    if (types.length === 0 || (await this.store.head()) === undefined) return 0;
    const count = await this.store.retag(types, (event) => tagsOf(registry, event));
    if (count > 0) await this.forgetSnapshots();
    return count;
  }

  private async fill(sources: TagSources, registry: Registry, wanted: WantedTag, range: PositionRange): Promise<number> {
    const { type, property } = wanted;
    let page: AddedTags[] = [];
    let count = 0;
    const keep = async (upTo: Position) => {
      if (page.length > 0) {
        await sources.add(page);
        await this.forgetSnapshots();
      }
      count += page.length;
      page = [];
      await sources.record([{ type, property, upTo }]);
    };
    for await (const { event, tags } of candidates(sources, registry, wanted, range)) {
      const lacking = tags.filter((tag) => !event.tags.includes(tag));
      if (lacking.length > 0) page.push({ event, tags: lacking });
      if (page.length === pageSize) await keep(event.position);
    }
    await keep(range.upTo);
    return count;
  }

  private async countLacking(sources: TagSources, registry: Registry, wanted: WantedTag, range: PositionRange): Promise<number> {
    let count = 0;
    for await (const { event, tags } of candidates(sources, registry, wanted, range)) {
      // An event that belongs to no instance has no tag to lack.
      if (tags.some((tag) => tag.startsWith(`${wanted.tagName}:`) && !event.tags.includes(tag))) count += 1;
      if (count === countedUpTo) break;
    }
    return count;
  }

  /** A boundary that lacked an event may have got into a snapshot. */
  private async forgetSnapshots(): Promise<void> {
    await this.store.snapshots?.clear();
  }
}

/** An event that may lack tags, and those that it is to have. */
interface Candidate {
  readonly event: RecordedEvent;
  readonly tags: readonly string[];
}

/** @returns the events that may lack a tag that is wanted. */
async function* candidates(
  sources: TagSources,
  registry: Registry,
  { type, property, tagName, isUpcast }: WantedTag,
  range: PositionRange,
): AsyncGenerator<Candidate, void> {
  if (!isUpcast) {
    for await (const event of sources.lacking(type, tagName, range)) yield { event, tags: tagsOf(registry, event) };
    return;
  }
  // Every event lacks a tag of such a name. Those that have none at all are found by themselves.
  const current = registry.upcasting.knownVersion(type);
  const others = current === undefined ? range : { ...range, exceptVersion: current };
  for await (const event of sources.lacking(type, property, others)) {
    const isTagged = event.tags.some((tag) => tag.startsWith(`${tagName}:`));
    if (isTagged && registry.upcasting.reads(type, event.schemaVersion) === 'upcast')
      yield { event, tags: upcastTagsOf(registry, event) };
  }
}

/** What cannot be read is found by the tag that it was stored with, and that is told then. */
function upcastTagsOf(registry: Registry, event: RecordedEvent): string[] {
  try {
    return tagsOf(registry, event);
  } catch {
    return [];
  }
}

/** A source that the index may not cover. */
interface OpenSource {
  readonly wanted: WantedTag;
  readonly isNew: boolean;
  readonly after: Position | undefined;
}

function openSources(registry: Registry, recorded: readonly TagCoverage[], head: Position | undefined): OpenSource[] {
  const known = new Map(recorded.map((coverage) => [keyOf(coverage), coverage]));
  return registry.boundaries.wantedTags().flatMap((wanted) => {
    const coverage = known.get(keyOf(wanted));
    if (coverage !== undefined && coverage.upTo === head) return [];
    return [{ wanted, isNew: coverage === undefined, after: coverage?.upTo }];
  });
}

function newSources(registry: Registry, recorded: readonly TagCoverage[]): TagCoverage[] {
  const known = new Set(recorded.map(keyOf));
  const wanted = registry.boundaries.wantedTags().filter((tag) => !known.has(keyOf(tag)));
  return wanted.map(({ type, property }) => ({ type, property, upTo: undefined }));
}

async function recordReached(sources: TagSources, open: readonly OpenSource[], upTo: Position | undefined): Promise<void> {
  const reached = (isNew: boolean) =>
    open.filter((source) => source.isNew === isNew).map(({ wanted: { type, property } }) => ({ type, property, upTo }));
  if (reached(true).length > 0) await sources.record(reached(true));
  try {
    if (reached(false).length > 0) await sources.record(reached(false));
  } catch {
    // It spares the next start a look at the same events, and whoever may only read can do without.
  }
}

function tagsOf(registry: Registry, recorded: RecordedEvent): string[] {
  const { type, id, position } = recorded;
  const { upcasting } = registry;
  const event = upcasting.asStored(recorded);
  const parts = event === undefined ? upcasting.parts(recorded) : [event];
  try {
    return [...new Set(parts.flatMap((part) => registry.boundaries.tagsOf(part.type, part.data)))];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UntaggableEventError(type, `${id} at position ${position} cannot be tagged: ${reason}`, { cause: error });
  }
}
