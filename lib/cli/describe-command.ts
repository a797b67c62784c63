import { registryOf } from '../contract/reading';
import type { Registry } from '../metadata/registry';
import { loadApplication } from './load-application';
import type { ExitCode, Terminal } from './terminal';

/** What `eventfold describe` writes. */
export type DescribeFormat = 'mermaid' | 'asyncapi' | 'markdown' | 'json';

export const describeFormats: readonly DescribeFormat[] = ['markdown', 'mermaid', 'asyncapi', 'json'];

/** What `eventfold describe` is told. */
export interface DescribeArguments {
  readonly classes?: string;
  readonly format: DescribeFormat;
  readonly title: string;
  readonly apiVersion: string;
}

/** Writes what the classes come to. */
export async function describeCommand(given: DescribeArguments, terminal: Terminal): Promise<ExitCode> {
  const application = await loadApplication(terminal.cwd, given);
  terminal.stdout.write(`${described(registryOf(application), given, application.passOver).trimEnd()}\n`);
  return 0;
}

function described(
  registry: Registry,
  { format, title, apiVersion: version }: DescribeArguments,
  passOver: readonly string[],
): string {
  if (format === 'mermaid') return registry.toMermaid();
  if (format === 'markdown') return registry.toMarkdown(title);
  if (format === 'asyncapi') return JSON.stringify(registry.toAsyncApi({ title, version }), undefined, 2);
  const schemas = registry.toJsonSchema();
  const events = registry.events().map((event) => ({ ...event, schema: schemas[event.type] }));
  const classes = { aggregates: registry.aggregates(), projections: registry.projections() };
  return JSON.stringify({ events, ...classes, upcasters: registry.upcasters(), passOver }, undefined, 2);
}
