import { nestedClasses } from '../../events/declared-type';
import { type Class, isClass } from '../../events/event-class';
import { UnstorablePayloadError } from '../../events/unstorable-payload-error';
import { fieldsOf, putFields } from '../../snapshots/instance-fields';
import { fieldsOfText, type KnownClasses, Obstacle, textOfFields } from '../../snapshots/state-text';

/** What a codec has to know of the class whose instances it writes. */
export interface DocumentSubject {
  readonly name: string;
  readonly target: Class;
  readonly ids: readonly string[];
}

/**
 * Writes instances of a projection as texts, and reads them again. Values that JSON has no word for come back equal, and so
 * do instances of the classes that a new instance holds, or that class-transformer's `@Type` names.
 */
export class DocumentCodec {
  private readonly classes = new Map<string, Class>();

  constructor(private readonly subject: DocumentSubject) {}

  /** @throws {@link UnstorablePayloadError} when a property holds what would not come back equal. */
  encode(state: object, fresh: object): string {
    const { name, ids } = this.subject;
    try {
      return textOfFields(fieldsOf(state, fresh, ids), this.classesIn(fresh));
    } catch (error) {
      if (!(error instanceof Obstacle)) throw error;
      const remedy = 'Give the property plain data, or name its class with @Type(() => …) of class-transformer';
      throw new UnstorablePayloadError(name, error.path, error.reason, { remedy });
    }
  }

  decode(fresh: object, text: string): object {
    putFields(fresh, fieldsOfText(text, this.classesIn(fresh)), this.subject.ids);
    return fresh;
  }

  private classesIn(fresh: object): KnownClasses {
    if (this.classes.size === 0) {
      this.add(this.subject.target);
      this.addWithin(fresh);
    }
    return this.classes;
  }

  private addWithin(value: object): void {
    for (const part of Object.values(value) as unknown[]) {
      if (typeof part !== 'object' || part === null) continue;
      const target: unknown = part.constructor;
      if (!isClass(target) || builtIns.includes(target) || this.classes.get(target.name) === target) continue;
      this.add(target);
      this.addWithin(part);
    }
  }

  private add(target: Class): void {
    if (this.classes.has(target.name)) return;
    this.classes.set(target.name, target);
    for (const nested of nestedClasses(target)) if (!builtIns.includes(nested)) this.add(nested);
  }
}

const builtIns: readonly unknown[] = [Object, Array, Map, Set, Date];
