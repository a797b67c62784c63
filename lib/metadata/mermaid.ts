import type { ClassDescription, EventDescription, HandlerDescription, UpcasterDescription } from './descriptions';

/** What a diagram is drawn of. */
export interface DiagramSource {
  readonly events: readonly EventDescription[];
  readonly classes: readonly ClassDescription[];
  readonly upcasters: readonly UpcasterDescription[];
}

/**
 * Draws events, the classes that handle them, and on each arrow the ids that lead there; on dotted arrows, from which other
 * names events are read.
 */
export function toMermaid({ events, classes, upcasters }: DiagramSource): string {
  const eventNodes = new Map(events.map(({ type }, index) => [type, `e${index}`]));
  const lines = events.map((event) => `  ${eventNodes.get(event.type)}(["${eventLabel(event, upcasters)}"])`);
  lines.push(...formerNames({ events, upcasters }, eventNodes));
  for (const [index, described] of classes.entries()) {
    lines.push(`  c${index}${shape(described)}`);
    for (const handler of described.handlers) lines.push(`  ${eventNodes.get(handler.event)} ${arrow(handler)} c${index}`);
  }
  return ['flowchart LR', ...lines].join('\n');
}

/** The versions that are read stand before the one that is written. */
function eventLabel({ type, schemaVersion }: EventDescription, upcasters: readonly UpcasterDescription[]): string {
  const earlier = upcasters.filter(({ from }) => from.type === type).map(({ from }) => from.version);
  if (earlier.length === 0) return encode(type);
  return `${encode(type)}\n${[...earlier.sort((a, b) => a - b), schemaVersion].map((version) => `v${version}`).join(' → ')}`;
}

function formerNames(
  { events, upcasters }: Omit<DiagramSource, 'classes'>,
  eventNodes: ReadonlyMap<string, string>,
): readonly string[] {
  const aliases = events.flatMap(({ type, aliases = [] }) => aliases.map((name) => ({ name, label: 'alias', into: [type] })));
  const ways = upcasters.filter(({ from }) => !eventNodes.has(from.type));
  const drawn = [
    ...aliases,
    ...ways.map(({ from, into }) => ({ name: from.type, label: `v${from.version}`, into: into.map(({ type }) => type) })),
  ];
  const nodes = new Map([...new Set(drawn.map(({ name }) => name))].map((name, index) => [name, `s${index}`]));
  const nodeOf = (name: string) => eventNodes.get(name) ?? nodes.get(name);
  const isDropped = drawn.some(({ into }) => into.length === 0);
  return [
    ...[...nodes].map(([name, node]) => `  ${node}[/"${encode(name)}"/]`),
    ...(isDropped ? ['  dropped((dropped))'] : []),
    ...drawn.flatMap(({ name, label, into }) => {
      const targets = into.length === 0 ? ['dropped'] : into.map(nodeOf);
      return targets.map((target) => `  ${nodes.get(name)} -. "${label}" .-> ${target}`);
    }),
  ];
}

function shape({ kind, class: name, ids, mode, guard }: ClassDescription): string {
  const label = `"${encode(name)}\n${encode([mode ?? guard ?? kind, ...ids].join(' · '))}"`;
  if (kind === 'reactor') return `[/${label}/]`;
  return kind === 'aggregate' ? `{{${label}}}` : `[(${label})]`;
}

function arrow({ ids }: HandlerDescription): string {
  const mapped = Object.entries(ids).filter(([id, source]) => id !== source);
  if (mapped.length === 0) return '-->';
  const label = mapped.map(([id, source]) => `${id} = ${typeof source === 'string' ? source : 'ƒ'}`).join(', ');
  return `-- "${encode(label)}" -->`;
}

/** GitHub drops diagrams with HTML in a label, and a backtick or "%%{" would begin Markdown or a directive. */
function encode(text: string): string {
  return text.replace(/[&"<>#`%\r\n]/g, (character) => `#${character.charCodeAt(0)};`);
}
