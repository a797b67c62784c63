import type { ClassDescription, EventDescription, HandlerDescription } from './descriptions';

/** Draws events, the classes that handle them, and on each arrow the ids that lead there. */
export function toMermaid(events: readonly EventDescription[], classes: readonly ClassDescription[]): string {
  const eventNodes = new Map(events.map(({ type }, index) => [type, `e${index}`]));
  const lines = events.map(({ type }) => `  ${eventNodes.get(type)}(["${encode(type)}"])`);
  for (const [index, described] of classes.entries()) {
    lines.push(`  c${index}${shape(described)}`);
    for (const handler of described.handlers) lines.push(`  ${eventNodes.get(handler.event)} ${arrow(handler)} c${index}`);
  }
  return ['flowchart LR', ...lines].join('\n');
}

function shape({ kind, class: name, ids, mode, guard }: ClassDescription): string {
  const label = `"${encode(name)}\n${encode([mode ?? guard, ...ids].join(' · '))}"`;
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
