import { declaredProperties } from '../events/declared-properties';
import type { Class } from '../events/event-class';
import type { ClassModel, EventModel, HandlerModel } from '../metadata/class-model';
import { eventShape } from '../metadata/event-schema';
import { givenSchema } from '../metadata/given-schema';
import type { JsonSchema } from '../metadata/json-schema';
import type { Registry } from '../metadata/registry';
import type { ProjectionMode } from '../metadata/slots';

/** What a stored name stands for. */
export interface EventContract {
  /** The class's name, for people: classes may be renamed. */
  readonly class: string;
  /** The version that is written. */
  readonly version: number;
  /** No class has the name any more: what is stored under it is read by upcasters, or passed over. */
  readonly isRetired?: true;
  /** By version: what events of it are stored as. Every version that was ever written stays here. */
  readonly shapes: Readonly<Record<string, JsonSchema>>;
}

/** Where an id is found in an event: in a property, or by a function. */
export type IdSourceContract = string | { readonly computed: true };

/** What an aggregate or projection knows its instances by. */
export interface IdentityContract {
  readonly class: string;
  readonly ids: readonly string[];
  /** By the stored name of the event: the id map of each handler. */
  readonly handles: Readonly<Record<string, readonly Readonly<Record<string, IdSourceContract>>[]>>;
}

/** What an aggregate's streams are named by, and what guards it. */
export interface AggregateContract extends IdentityContract {
  readonly guard: 'stream' | 'boundary';
}

/** What a projection's state, or a reactor's place in the log, is kept under. */
export interface ProjectionContract extends IdentityContract {
  readonly mode: ProjectionMode;
  /** Says that handlers keep the state themselves, or that it is a reactor. */
  readonly kind?: 'custom' | 'reactor';
  readonly version: number;
}

/** All that stored events and state depend on, by the names that they are stored under. */
export interface Contract {
  /** The version of the form of this file. */
  readonly format: 1;
  readonly events: Readonly<Record<string, EventContract>>;
  readonly aggregates: Readonly<Record<string, AggregateContract>>;
  readonly projections: Readonly<Record<string, ProjectionContract>>;
}

/** @returns what the classes of a registry come to. */
export function contractOf(registry: Registry): Contract {
  const models = registry.allModels();
  const named = <T>(entries: readonly (readonly [string, T])[]) => Object.fromEntries(entries);
  return {
    format: 1,
    events: named(registry.allEvents().map((event) => [event.type, eventContract(event)])),
    aggregates: named(
      models.flatMap((model) => {
        if (model.aggregate === undefined) return [];
        const guard = registry.boundaries.isOpen(model) ? ('boundary' as const) : ('stream' as const);
        return [[model.name, { ...identityContract(model), guard }]];
      }),
    ),
    projections: named(
      models.flatMap((model) => {
        if (model.projection === undefined) return [];
        const { mode, version, isCustom, reactor } = model.projection;
        const kind = reactor ? ('reactor' as const) : ('custom' as const);
        return [[model.name, { ...identityContract(model), mode, version, ...(isCustom && { kind }) }]];
      }),
    ),
  };
}

function eventContract(event: EventModel): EventContract {
  const { class: target, schemaVersion, schema: given } = event;
  const shape = eventShape(event);
  const optional = [
    ...new Set([...(shape.optional ?? []), ...optionalIn(given && givenSchema(given)), ...filledIn(target, shape)]),
  ].sort();
  const shapes = { [schemaVersion]: { ...shape, ...(optional.length > 0 && { optional }) } };
  return { class: target.name, version: schemaVersion, shapes };
}

/** @returns what a schema of the event says may be missing. Of a class, that a property is not required says nothing. */
function optionalIn({ properties = {}, required = [] }: JsonSchema = {}): string[] {
  return Object.keys(properties).filter((name) => !required.includes(name));
}

/** @returns what a new instance holds already, where the schema cannot say so: a `Date`, a `Map`, an instance of a class. */
function filledIn(target: Class, { properties = {} }: JsonSchema): string[] {
  const filled = declaredProperties(target).filter(({ initial }) => initial !== undefined && initial !== null);
  return filled.map(({ storedName }) => storedName).filter((name) => properties[name]?.default === undefined);
}

function identityContract(model: ClassModel): IdentityContract {
  const handles = [...model.byType].map(([type, handlers]) => [type, handlers.map((handler) => idMap(model, handler))] as const);
  return { class: model.class.name, ids: [...model.ids], handles: Object.fromEntries(handles) };
}

function idMap(model: ClassModel, { sources }: HandlerModel): Record<string, IdSourceContract> {
  return Object.fromEntries(
    model.ids.map((id, index) => {
      const source = sources[index] ?? id;
      return [id, typeof source === 'string' ? source : { computed: true as const }];
    }),
  );
}
