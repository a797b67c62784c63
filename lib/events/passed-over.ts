import { InvalidArgumentError } from './invalid-argument-error';

const everyOne = '.*';

/** Stored names that an application has no use for: single ones, and families such as `billing.*`. */
export class PassedOver {
  private readonly names: ReadonlySet<string>;
  private readonly beginnings: readonly string[];

  /** @throws {@link InvalidArgumentError} when a name has a `*` anywhere but at the end of a family. */
  constructor(names: readonly string[]) {
    const unclear = names.find((name) => name.replace(/(?<=.)\.\*$/s, '').includes('*'));
    if (unclear !== undefined)
      throw new InvalidArgumentError(
        `passOver names ${JSON.stringify(unclear)}, which is no stored name and no family: families are 'prefix.*', such as 'billing.*'.`,
      );
    this.names = new Set(names);
    this.beginnings = names.filter((name) => name.endsWith(everyOne)).map((name) => name.slice(0, -1));
  }

  has(name: string): boolean {
    return this.names.has(name) || this.beginnings.some((beginning) => name.startsWith(beginning));
  }
}
