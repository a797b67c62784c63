/** Events of one name and version that are stored. */
export interface StoredType {
  readonly type: string;
  readonly schemaVersion: number;
  /** How many there are, where they were counted. */
  readonly count?: number;
}

/** How closely to look at what is stored. */
export type StoredTypesScan =
  /** At the first and the newest event of each type: as quick in a large store as in a small one. */
  | 'ends'
  /** At every event, which are counted too. */
  | 'all';
