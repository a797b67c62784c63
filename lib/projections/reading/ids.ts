/** Data of a class by which an instance is found: some of its properties. */
export type Ids<T> = Partial<{ [K in keyof T]: T[K] }>;

/** By what an instance is found that stands still: its ids, or for a reactor without ids the stream of its events. */
export type ParkedIds<T> = Ids<T> | { readonly stream: string };
