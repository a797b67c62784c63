import type { EventDescription, UpcasterDescription } from './descriptions';

/** @returns what an event is read from beside what is written today, in a sentence or two; nothing where there is nothing. */
export function formerForms({ type, aliases = [] }: EventDescription, upcasters: readonly UpcasterDescription[]): string {
  const read = upcasters
    .filter(({ into }) => into.some((target) => target.type === type))
    .map(({ from, name }) => `${from.type} version ${from.version} (${name})`);
  const sentences = [
    ...(aliases.length > 0 ? [`Also stored as ${aliases.join(', ')}.`] : []),
    ...(read.length > 0 ? [`Read from ${read.join(', ')}.`] : []),
  ];
  return sentences.join(' ');
}
