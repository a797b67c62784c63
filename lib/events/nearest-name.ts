/** @returns the known name that was probably meant, if one is near enough. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const most = Math.min(least, mostBetween(name, candidate) + 1);
    const distance = lettersOf(candidate) === lettersOf(name) ? 0 : distanceOf(name, candidate, most);
    if (distance >= most) continue;
    nearest = candidate;
    least = distance;
  }
  return nearest;
}

/** Of names that begin with the same `order.`, only the rest can be a slip of the pen. */
function mostBetween(name: string, candidate: string): number {
  const last = name.lastIndexOf('.') + 1;
  const own = candidate.startsWith(name.slice(0, last)) ? name.length - last : name.length;
  return Math.max(2, Math.floor(own / 3));
}

/** `OrderPlaced` and `order.placed` are the same name, written by two habits. */
function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/**
 * @returns how many letters to insert, remove or replace; `most` or more where it is not worth knowing.
 * @see https://en.wikipedia.org/wiki/Levenshtein_distance
 */
function distanceOf(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? most;
}
