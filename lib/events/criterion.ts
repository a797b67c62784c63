/** Matches the events of any of `types` that carry all of `tags`. */
export interface Criterion {
  /** Event type names; every type when left out. */
  readonly types?: readonly string[];
  /** Tags as `property:value`; any event of the types when left out. */
  readonly tags?: readonly string[];
}

/** @returns the tag that an event with `value` in its identity property `name` is indexed under. */
export function tag(name: string, value: unknown): string {
  return `${name}:${String(value)}`;
}
