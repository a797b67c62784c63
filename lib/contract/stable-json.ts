/** @returns `value` as JSON with the keys of every object in order, on lines of their own. */
export function stableJson(value: unknown): string {
  return `${JSON.stringify(sorted(value), undefined, 2)}\n`;
}

/** Says whether two JSON values are the same, whatever the order of their keys. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, key === 'required' ? namesInOrder(part) : sorted(part)]));
}

/** JSON Schema's `required` means the same in any order. */
function namesInOrder(value: unknown): unknown {
  const isNames = Array.isArray(value) && value.every((name) => typeof name === 'string');
  return isNames ? [...value].sort() : sorted(value);
}
