/** What has changed, of what stored events and state depend on; each is explained in `docs/contract.md`. */
export type ContractChangeCode =
  | 'EVENT_ADDED'
  | 'EVENT_REMOVED'
  | 'EVENT_RENAMED'
  | 'EVENT_RETIRED'
  | 'VERSION_RAISED'
  | 'VERSION_LOWERED'
  | 'UPCASTER_MISSING'
  | 'UPCASTER_UNFIT'
  | 'PROPERTY_ADDED'
  | 'PROPERTY_REMOVED'
  | 'PROPERTY_RENAMED'
  | 'PROPERTY_REQUIRED'
  | 'PROPERTY_OPTIONAL'
  | 'TYPE_CHANGED'
  | 'TYPE_NARROWED'
  | 'TYPE_WIDENED'
  | 'TYPE_DECLARED'
  | 'RULE_NARROWED'
  | 'RULE_WIDENED'
  | 'VALUE_CHANGED'
  | 'DEFAULT_CHANGED'
  | 'AGGREGATE_ADDED'
  | 'AGGREGATE_REMOVED'
  | 'AGGREGATE_RENAMED'
  | 'EVENT_MOVED'
  | 'IDS_CHANGED'
  | 'ID_MAP_CHANGED'
  | 'GUARD_CHANGED'
  | 'PROJECTION_ADDED'
  | 'PROJECTION_REMOVED'
  | 'PROJECTION_CHANGED'
  | 'PROJECTION_VERSION_LOWERED';

/** One change of a contract: what it is, where, and what to write. */
export interface ContractChange {
  /** Stored events, or kept state, cannot be used as they were; or they can. */
  readonly kind: 'breaking' | 'additive';
  readonly code: ContractChangeCode;
  /** The stored name of the event, aggregate or projection; of an upcaster, what errors call it. */
  readonly name: string;
  /** An event's: the version that is concerned. */
  readonly version?: number;
  /** Where in the event's data, such as `lines[].price`. */
  readonly path?: string;
  readonly problem: string;
  /** What to write; empty where there is nothing to do. */
  readonly remedy: string;
}
