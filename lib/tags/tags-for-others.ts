import { isUpcastProperty } from '../metadata/boundaries';
import { propertyTags } from '../metadata/identity';
import type { Registry } from '../metadata/registry';
import { keyOf, type TagCoverage, type TagSource } from '../store/tag-sources';
import { UntaggableEventError } from './untaggable-event-error';

/** The tags that classes of other processes look for, and that are not asked for by a class listed here. */
export class TagsForOthers {
  /** By event type: properties of the event. */
  private properties = new Map<string, readonly string[]>();
  /** By event type: functions, which are not here. */
  private functions = new Map<string, readonly string[]>();

  get isAny(): boolean {
    return this.properties.size > 0 || this.functions.size > 0;
  }

  /**
   * @returns the tags of an event which is to be appended; none of a property that holds no id.
   * @throws {@link UntaggableEventError} when a function gives them that this process does not have.
   */
  tagsOf(type: string, data: object): string[] {
    const [unknown] = this.functions.get(type) ?? [];
    if (unknown !== undefined) throw new UntaggableEventError(type, absence(unknown));
    return (this.properties.get(type) ?? []).flatMap((property) => propertyTags(property, data));
  }

  /** Takes over what the store has recorded, but for what the classes listed here ask for themselves. */
  learn(registry: Registry, recorded: readonly TagCoverage[]): void {
    const own = new Set(registry.boundaries.wantedTags().map(keyOf));
    const others = recorded.filter(
      (source) =>
        registry.eventByType(source.type) !== undefined && !own.has(keyOf(source)) && !isUpcastProperty(source.property),
    );
    const known = this.functions;
    this.properties = byType(others.filter(({ property }) => !isFunction(property)));
    this.functions = byType(others.filter(({ property }) => isFunction(property)));
    for (const [type, [property = '']] of this.functions)
      if (!known.has(type)) process.emitWarning(`${type} ${absence(property)}`, 'EventfoldWarning');
  }
}

function absence(source: string): string {
  return (
    `cannot be appended here: a function gives its tags for ${source}, and that class is not listed in this process. ` +
    'List it in EventSourcing.open({ classes: […] }); if it is gone for good, store.tagSources.forget(…).'
  );
}

function isFunction(property: string): boolean {
  return property.endsWith('()');
}

function byType(sources: readonly TagSource[]): Map<string, readonly string[]> {
  const properties = new Map<string, readonly string[]>();
  for (const { type, property } of sources) properties.set(type, [...(properties.get(type) ?? []), property]);
  return properties;
}
