import { ifThere } from '../stores/grounds';
import { catchingUp } from './catching-up';
import { inline } from './inline';
import { memory } from './memory';
import { type Place, postgresPlace, sqlitePlace } from './place';
import { reads } from './reads';
import { visibility } from './visibility';

/** What is measured in a place, and in another one beside it; with so many events, where they are many. */
type Part = (place: Place, other: Place, events: number) => Promise<void>;

const manyEvents = 300_000;

const databases = { postgres: postgresPlace, sqlite: sqlitePlace };

const parts: Readonly<Record<string, Part>> = { 'catching-up': catchingUp, reads, inline, visibility, memory };

/** Everything about projections, or what is named of databases and parts; a number is how many events `memory` rebuilds. */
export async function projections(chosen: readonly string[]): Promise<void> {
  const events = chosen.map(Number).find((number) => number > 0) ?? manyEvents;
  for (const [database, make] of chosenOf(databases, chosen)) {
    for (const [, part] of chosenOf(parts, chosen)) {
      const place = await ifThere(database, make);
      if (place !== undefined) await run(place, await make(), (one, other) => part(one, other, events));
    }
  }
}

async function run(place: Place, other: Place, part: (place: Place, other: Place) => Promise<void>): Promise<void> {
  try {
    await part(place, other);
  } finally {
    await place.drop();
    await other.drop();
  }
}

/** Those that are named, or all when none of them is. */
function chosenOf<T>(all: Readonly<Record<string, T>>, chosen: readonly string[]): [string, T][] {
  const entries = Object.entries(all);
  const named = entries.filter(([name]) => chosen.includes(name));
  return named.length === 0 ? entries : named;
}
