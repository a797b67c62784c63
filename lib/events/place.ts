/** Levels of nesting that a payload may have. */
const deepest = 500;

/** A place in a payload, such as `lines[2].at`: what an error names. Its text is made only when it is asked for. */
export class Place {
  static readonly payload = new Place(undefined, '');

  private readonly depth: number;
  /** The property of a class that this place is in, with nothing but arrays, maps and sets between them. */
  readonly declaredBy: Place | undefined;

  private constructor(
    private readonly parent: Place | undefined,
    private readonly step: string,
    kind?: 'property' | 'key',
  ) {
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.declaredBy = kind === 'property' ? this : kind === 'key' ? undefined : parent?.declaredBy;
  }

  get isTooDeep(): boolean {
    return this.depth > deepest;
  }

  /** A property of a class, whose decorators say what it holds. */
  property(name: string): Place {
    return new Place(this, `.${name}`, 'property');
  }

  /** A key of a plain object, of which nothing is known. */
  key(name: string): Place {
    return new Place(this, `.${name}`, 'key');
  }

  item(index: number): Place {
    return new Place(this, `[${index}]`);
  }

  /** An item of a set. */
  member(index: number): Place {
    return new Place(this, `{${index}}`);
  }

  /** The value of a map's key. */
  entry(key: unknown): Place {
    return new Place(this, `<${String(key)}>`);
  }

  /** @returns the path as a person would write it; nothing for the payload itself. */
  toString(): string {
    const steps: string[] = [];
    for (let place: Place | undefined = this; place !== undefined; place = place.parent) steps.unshift(place.step);
    return steps.join('').replace(/^\./, '');
  }
}
