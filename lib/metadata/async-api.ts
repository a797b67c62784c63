import type { ClassDescription, EventDescription, UpcasterDescription } from './descriptions';
import { type JsonSchema, withReferences } from './json-schema';

/** What an AsyncAPI document says of the application itself. */
export interface AsyncApiOptions {
  /** The application's name. */
  readonly title: string;
  /** The version of its API, such as `1.4.0`. */
  readonly version: string;
  readonly description?: string;
}

/** A document of AsyncAPI 3. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: AsyncApiOptions & {
    /** Stored names and versions that are read as nothing; all versions where none is given. */
    readonly 'x-not-read'?: readonly { readonly name: string; readonly 'x-schema-version'?: number }[];
  };
  readonly defaultContentType: string;
  readonly channels: Readonly<Record<string, object>>;
  readonly operations: Readonly<Record<string, object>>;
  readonly components: {
    readonly messages: Readonly<Record<string, object>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

/** What a document is written from. */
export interface AsyncApiSource {
  readonly events: readonly EventDescription[];
  readonly classes: readonly ClassDescription[];
  /** By stored name. */
  readonly schemas: ReadonlyMap<string, JsonSchema>;
  readonly upcasters: readonly UpcasterDescription[];
  /** Stored names whose events are passed over. */
  readonly passOver: readonly string[];
}

/** Describes each event as a channel with one message, and each class that handles it as an operation that receives it. */
export function toAsyncApi(source: AsyncApiSource, info: AsyncApiOptions): AsyncApiDocument {
  const { events, classes, schemas, upcasters } = source;
  const keys = new Keys();
  const described = events.map((event) => ({ event, key: keys.of(event.type) }));
  const parts = described.map(({ event, key }) => components(key, schemas.get(event.type) ?? {}));
  return {
    asyncapi: '3.0.0',
    info: { ...info, ...notRead(source) },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(described.map(({ event, key }) => [key, channel(event, key)])),
    operations: Object.fromEntries(described.flatMap(({ event, key }) => operations(event, key, { classes, keys }))),
    components: {
      messages: Object.fromEntries(described.map(({ event, key }) => [key, message(event, key, upcasters)])),
      schemas: Object.fromEntries(parts.flat()),
    },
  };
}

function channel({ type }: EventDescription, key: string): object {
  return { address: type, messages: { [key]: { $ref: `#/components/messages/${key}` } } };
}

/** What has a name of ours only is an extension, which begins with x-. */
function notRead({ upcasters, passOver }: AsyncApiSource): object {
  const gone = upcasters.filter(({ into }) => into.length === 0);
  const names = [
    ...gone.map(({ from: { type: name, version } }) => ({ name, 'x-schema-version': version })),
    ...passOver.map((name) => ({ name })),
  ];
  return names.length === 0 ? {} : { 'x-not-read': names };
}

function message(
  { type, class: className, schemaVersion, aliases }: EventDescription,
  key: string,
  upcasters: readonly UpcasterDescription[],
): object {
  const ways = upcasters.filter(({ into }) => into.some((target) => target.type === type));
  const readFrom = ways.map(({ name: upcaster, from }) => ({
    name: from.type,
    'x-schema-version': from.version,
    'x-upcaster': upcaster,
  }));
  return {
    name: type,
    title: className,
    contentType: 'application/json',
    payload: { $ref: `#/components/schemas/${key}` },
    'x-schema-version': schemaVersion,
    ...(aliases && { 'x-aliases': aliases }),
    ...(readFrom.length > 0 && { 'x-read-from': readFrom }),
  };
}

function operations(
  { type }: EventDescription,
  key: string,
  { classes, keys }: { readonly classes: readonly ClassDescription[]; readonly keys: Keys },
): [string, object][] {
  return classes.flatMap((described) => {
    const handlers = described.handlers.filter(({ event }) => event === type);
    if (handlers.length === 0) return [];
    const operation = {
      action: 'receive',
      channel: { $ref: `#/channels/${key}` },
      messages: [{ $ref: `#/channels/${key}/messages/${key}` }],
      title: `${described.class} handles ${type}`,
      'x-kind': described.mode ?? described.kind,
      'x-methods': handlers.map(({ method }) => method),
    };
    return [[keys.of(`${described.class}.${type}`), operation]];
  });
}

/** References in a schema are from the root of the whole document: its definitions move there. */
function components(key: string, schema: JsonSchema): [string, JsonSchema][] {
  const { $schema: _dialect, definitions = {}, ...own } = schema;
  const prefix = '#/definitions/';
  const moved = (part: JsonSchema) =>
    withReferences(part, (reference) => {
      const name = reference.startsWith(prefix) ? reference.slice(prefix.length) : undefined;
      return name === undefined ? reference : `#/components/schemas/${nestedKey(key, name)}`;
    });
  return [
    [key, moved(own)],
    ...Object.entries(definitions).map(([name, part]) => [nestedKey(key, name), moved(part)] as [string, JsonSchema]),
  ];
}

function nestedKey(key: string, name: string): string {
  return `${key}-${plain(name)}`;
}

function plain(name: string): string {
  return name.replace(/[^\w.]/g, '_');
}

/** AsyncAPI names parts by letters, digits, dots, dashes and underscores; two names of ours may come to one of these. */
class Keys {
  private readonly names = new Map<string, string>();

  of(name: string): string {
    let key = plain(name);
    for (let count = 2; this.names.has(key) && this.names.get(key) !== name; count += 1) key = `${plain(name)}-${count}`;
    this.names.set(key, name);
    return key;
  }
}
