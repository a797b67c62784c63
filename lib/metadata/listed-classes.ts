import { type Class, isClass, nameOf } from '../events/event-class';
import { classMistakes } from './class-checks';
import { type ClassModel, classModel, type EventModel, eventModel, type HandlerModel } from './class-model';
import type { Mistake } from './mistake';

/** Looks for mistakes that only a later layer can see, also beside classes that were listed before; given to {@link Registry.of}. */
export type ModelCheck = (model: ClassModel, before: readonly ClassModel[]) => readonly Mistake[];

/** A handler, and the class that it is of. */
export interface HandlerOfClass {
  readonly model: ClassModel;
  readonly handler: HandlerModel;
}

/** What was listed, by class and by name, and what is wrong with it. */
export class ListedClasses {
  readonly models = new Map<Class, ClassModel>();
  readonly eventsByType = new Map<string, EventModel>();
  /** By every name that an event is read under. */
  readonly eventsByName = new Map<string, EventModel>();
  readonly mistakes: Mistake[] = [];
  private readonly handlersByType = new Map<string, HandlerOfClass[]>();

  constructor(
    classes: readonly unknown[],
    private readonly check: ModelCheck,
  ) {
    for (const listed of classes) this.add(listed);
    for (const model of this.models.values()) {
      for (const handler of model.handlers) this.addHandler(model, handler);
      for (const ignored of model.aggregate?.ignores ?? []) this.addIgnored(ignored);
    }
    this.findDuplicateNames();
  }

  /** @returns the types that classes handle. */
  get handledTypes(): IterableIterator<string> {
    return this.handlersByType.keys();
  }

  handlersOfType(type: string): readonly HandlerOfClass[] {
    return this.handlersByType.get(type) ?? [];
  }

  private add(listed: unknown): void {
    if (!isClass(listed)) {
      const remedy = listed === undefined ? 'Break the circular import that leaves it undefined' : 'List classes only';
      this.mistakes.push({ code: 'NOT_A_CLASS', class: nameOf(listed), problem: 'it is no class', remedy });
      return;
    }
    const model = classModel(listed);
    const event = eventModel(listed);
    if (event !== undefined) this.addEvent(event);
    if (this.models.has(listed)) {
      this.mistakes.push({ code: 'LISTED_TWICE', class: listed.name, problem: 'it is listed twice', remedy: 'List it once' });
    } else if (model.aggregate || model.projection) {
      const before = [...this.models.values()];
      this.models.set(listed, model);
      this.mistakes.push(...classMistakes(model), ...this.check(model, before));
    } else if (event === undefined) {
      const remedy = 'Put @Aggregate(), @Projection(), @Reactor() or @Event() on it; a subclass does not inherit them';
      this.mistakes.push({ code: 'UNDECORATED_CLASS', class: listed.name, problem: 'it has no decorator', remedy });
    }
  }

  private addHandler(model: ClassModel, handler: HandlerModel): void {
    this.addEvent(handler.event);
    const { type } = handler.event;
    this.handlersByType.set(type, [...this.handlersOfType(type), { model, handler }]);
  }

  /** What a strict aggregate ignores is known all the same, or it could not be told from an unknown type. */
  private addIgnored(ignored: Class): void {
    const event = eventModel(ignored);
    if (event !== undefined) this.addEvent(event);
  }

  private addEvent(event: EventModel): void {
    if (this.eventsByName.get(event.type)?.class === event.class) return;
    const [claimed] = [event.type, ...event.aliases].flatMap((name) => {
      const known = this.eventsByName.get(name);
      return known === undefined ? [] : [{ name, known }];
    });
    if (claimed === undefined) {
      this.eventsByType.set(event.type, event);
      for (const name of [event.type, ...event.aliases]) this.eventsByName.set(name, event);
      return;
    }
    const { name, known } = claimed;
    const problem = `its ${kindOf(event, name)} "${name}" is the ${kindOf(known, name)} of another class ${known.class.name}`;
    const mistake: Mistake = {
      code: 'DUPLICATE_EVENT_NAME',
      class: event.class.name,
      problem,
      remedy: "Give one of them another name: @Event('…'), or remove the alias",
    };
    if (!this.mistakes.some((other) => other.code === mistake.code && other.class === mistake.class)) this.mistakes.push(mistake);
  }

  private findDuplicateNames(): void {
    const names = new Map<string, ClassModel>();
    for (const model of this.models.values()) {
      const first = names.get(model.name);
      names.set(model.name, first ?? model);
      if (first === undefined) continue;
      const problem = `its name "${model.name}" is that of another class ${first.class.name}`;
      this.mistakes.push({
        code: 'DUPLICATE_NAME',
        class: model.class.name,
        problem,
        remedy: "Give one of them another: { name: '…' }",
      });
    }
  }
}

function kindOf(event: EventModel, name: string): string {
  return event.type === name ? 'stored name' : 'alias';
}
