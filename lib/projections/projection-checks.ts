import { takesArguments } from '../metadata/class-checks';
import type { ClassModel } from '../metadata/class-model';
import type { Mistake } from '../metadata/mistake';
import type { ProjectionStore, StateKind } from '../store/projection-store';
import { ProjectionClass } from './folding/projection-class';
import { ProjectionDefinition } from './folding/projection-definition';
import type { Services } from './services';

/** What projections are checked against. */
export interface ProjectionPlace {
  /** Where they are kept. */
  readonly place: ProjectionStore | undefined;
  /** What makes those that take arguments; undefined where none is made. */
  readonly services: Services | undefined;
}

/** Finds what is wrong with a projection class that only this layer, the store, or who opens it, can see. */
export function projectionMistakes(
  model: ClassModel,
  before: readonly ClassModel[],
  { place, services }: ProjectionPlace,
): Mistake[] {
  if (model.projection === undefined || model.aggregate !== undefined) return [];
  const mistakes = [...emitMistakes(model), ...(services === undefined ? [] : makingMistakes(model, services))];
  if (place === undefined && model.projection.reactor !== undefined) return [...mistakes, placeless(model)];
  if (place === undefined || !keepsState(model)) return mistakes;
  return [...mistakes, ...stateMistakes(model, before.filter(keepsState), place)];
}

function keepsState({ aggregate, projection }: ClassModel): boolean {
  return projection !== undefined && aggregate === undefined && projection.mode !== 'live';
}

function emitMistakes({ class: target, projection }: ClassModel): Mistake[] {
  if (!('emit' in target.prototype)) return [];
  const kind = projection?.reactor ? 'reactor' : 'projection';
  const remedy = 'Do not extend AggregateRoot; to decide on events, have a @Reactor() call a command';
  return [{ code: 'RESERVED_NAME', class: target.name, member: 'emit', problem: `a ${kind} cannot emit`, remedy }];
}

/** Without a place that lasts it would do everything again, or miss something, at each start. */
function placeless({ class: target }: ClassModel): Mistake {
  const problem = 'a reactor keeps its place in the log, and the store has nowhere to keep it';
  return { code: 'UNFIT_STATE', class: target.name, problem, remedy: 'Use a store with projections, such as TypeOrmEventStore' };
}

/** Says whether a custom projection can be made; whatever takes arguments otherwise has been found by then. */
function makingMistakes({ class: target, projection }: ClassModel, { instances }: Services): Mistake[] {
  if (!projection?.isCustom || !takesArguments(target) || instances?.(target) !== undefined) return [];
  const problem = 'it takes arguments, and nothing was given that makes it';
  const remedy = `Give EventSourcing.open({ instances: (target) => … }) a way to make ${target.name}; in NestJS list it in providers`;
  return [{ code: 'CONSTRUCTOR_ARGUMENTS', class: target.name, member: 'constructor', problem, remedy }];
}

function stateMistakes(model: ClassModel, before: readonly ClassModel[], place: ProjectionStore): Mistake[] {
  const others = before.map((other) => definitionOf(other, place));
  const mistakes = place.mistakes(definitionOf(model, place), others);
  return mistakes.map((mistake) => ({ code: 'UNFIT_STATE', class: model.class.name, ...mistake }));
}

function definitionOf(model: ClassModel, place: ProjectionStore): ProjectionDefinition {
  const folding = new ProjectionClass(model);
  return new ProjectionDefinition(folding, stateKindOf(model, place));
}

/** @returns where a projection's instances are kept. */
export function stateKindOf({ class: target, projection }: ClassModel, place: ProjectionStore): StateKind {
  if (projection?.reactor !== undefined) return 'reactor';
  return projection?.isCustom ? 'custom' : place.kindOf(target);
}
