import type { ClassDescription, EventDescription, UpcasterDescription } from './descriptions';
import type { JsonSchema } from './json-schema';

/** What a catalogue is written from. */
export interface CatalogueSource {
  readonly events: readonly EventDescription[];
  readonly classes: readonly ClassDescription[];
  /** By stored name. */
  readonly schemas: ReadonlyMap<string, JsonSchema>;
  readonly diagram: string;
  readonly upcasters: readonly UpcasterDescription[];
  /** Stored names whose events are passed over. */
  readonly passOver: readonly string[];
}

/** Writes a page about events, what they hold, who handles them, and what they are read from. */
export function toMarkdown(source: CatalogueSource, title: string): string {
  const { events, classes, schemas, diagram } = source;
  const pages = [
    `# ${text(title)}`,
    ['```mermaid', diagram, '```'].join('\n'),
    '## Events',
    ...events.map((event) => eventSection(event, schemas.get(event.type) ?? {})),
    ...formerSection(source),
    ...section('Aggregates', classes, 'aggregate'),
    ...section('Projections', classes, 'projection'),
    ...section('Reactors', classes, 'reactor'),
  ];
  return `${pages.join('\n\n')}\n`;
}

function eventSection(event: EventDescription, schema: JsonSchema): string {
  const { type, class: className, schemaVersion, handledBy, aliases = [] } = event;
  const handled = handledBy.length === 0 ? 'nobody' : handledBy.map(code).join(', ');
  const also = aliases.length === 0 ? '' : ` Also stored as ${aliases.map(code).join(', ')}.`;
  const lines = [`### ${text(type)}`, `Class ${code(className)}, version ${schemaVersion}.${also} Handled by ${handled}.`];
  const tables = [
    { name: '', part: schema },
    ...Object.entries(schema.definitions ?? {}).map(([name, part]) => ({ name, part })),
  ];
  for (const { name, part } of tables) {
    const rows = Object.entries(part.properties ?? {}).map(([property, described]) =>
      row([code(property), typeText(described), part.required?.includes(property) ? 'yes' : '', rulesText(described)]),
    );
    if (name !== '') lines.push(`${code(name)}:`);
    lines.push(rows.length === 0 ? 'It holds no data.' : [...head('property', 'type', 'required', 'rules'), ...rows].join('\n'));
  }
  return lines.join('\n\n');
}

/** What is stored that no class has as it is. */
function formerSection({ upcasters, passOver }: CatalogueSource): string[] {
  const rows = upcasters.map(({ name, from, into }) => {
    const made = into.map(({ type, version }) => `${code(type)} ${version}`).join(', ');
    return row([code(from.type), String(from.version), made || 'nothing', code(name)]);
  });
  const passed = passOver.map((name) => row([code(name), 'any', 'nothing', 'passed over']));
  if (rows.length + passed.length === 0) return [];
  return ['## Earlier versions', [...head('stored as', 'version', 'read as', 'by'), ...rows, ...passed].join('\n')];
}

function section(title: string, classes: readonly ClassDescription[], kind: ClassDescription['kind']): string[] {
  const rows = classes
    .filter((described) => described.kind === kind)
    .map(({ class: className, name, ids, handlers, commands, mode, guard }) =>
      row([
        code(className),
        code(name),
        ids.map(code).join(', '),
        ...(kind === 'reactor' ? [] : [mode ?? guard ?? '']),
        [...new Set(handlers.map(({ event }) => event))].map(code).join(', '),
        ...(kind === 'aggregate' ? [commands.map(code).join(', ')] : []),
      ]),
    );
  const how = { aggregate: ['guard'], projection: ['mode'], reactor: [] }[kind];
  const columns = ['class', 'name', 'ids', ...how, 'handles'];
  if (rows.length === 0) return [];
  return [`## ${title}`, [...head(...columns, ...(kind === 'aggregate' ? ['commands'] : [])), ...rows].join('\n')];
}

function head(...columns: readonly string[]): string[] {
  return [row(columns), row(columns.map(() => '---'))];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** @returns the type of a value in a few words, such as `list of Line, or null`. */
function typeText(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return code(schema.$ref.replace('#/definitions/', ''));
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined && schema.type === undefined) return alternatives.map(typeText).join(' or ');
  if (Array.isArray(schema.allOf)) return typeText(schema.allOf[0] as JsonSchema);
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['any']);
  return types.map((type) => (type === 'array' ? listText(schema) : type)).join(' or ');
}

function listText({ items }: JsonSchema): string {
  if (items === undefined) return 'list';
  if (!isList(items)) return `list of ${typeText(items)}`;
  return `pair of ${items.map(typeText).join(' and ')}`;
}

function isList(items: JsonSchema | readonly JsonSchema[]): items is readonly JsonSchema[] {
  return Array.isArray(items);
}

const silent = ['$ref', 'type', 'items', 'anyOf', 'oneOf', 'allOf', 'const', 'title', 'description'];

function rulesText(schema: JsonSchema): string {
  const rules = Object.entries(schema).filter(([keyword]) => !silent.includes(keyword));
  return [
    ...(schema.description === undefined ? [] : [text(schema.description)]),
    ...rules.map(([keyword, value]) => `${keyword} ${code(JSON.stringify(value))}`),
  ].join(', ');
}

/** GitHub ends a table's cell at a bar, also within code. */
function code(name: string): string {
  const clean = name.replace(/[\r\n]+/g, ' ').replaceAll('|', '\\|');
  return clean.includes('`') ? `\`\` ${clean} \`\`` : `\`${clean}\``;
}

function text(words: string): string {
  return words.replace(/[\r\n]+/g, ' ').replace(/[\\`*_{}[\]<>#|]/g, '\\$&');
}
