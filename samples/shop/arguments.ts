import { parseArgs } from 'node:util';
import type { Role } from './shop-module';

/** What the command line says. */
export interface Arguments {
  readonly store: string;
  readonly role: Role;
  readonly port: number;
}

export const help = `Usage: npm run sample:shop -- [options]

  --store <where>   shop.sqlite unless given: another SQLite file, or an
                    address such as postgres://postgres@localhost/test
  --port <number>   3000 unless given; 0 takes one that is free
  --role <what>     all unless given; web serves customers and runs no
                    projection, worker runs projections and serves nobody
  --help
`;

const roles: readonly string[] = ['all', 'web', 'worker'];

/** @throws Error whose message is for the user. */
export function readArguments(args: readonly string[]): Arguments | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      store: { type: 'string', default: 'shop.sqlite' },
      port: { type: 'string', default: '3000' },
      role: { type: 'string', default: 'all' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (!roles.includes(values.role)) throw new Error(`There is no role "${values.role}". Give all, web or worker.`);
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN;
  if (!(port <= 65_535)) throw new Error(`--port ${values.port} is not possible. Give a number from 0 to 65535.`);
  return { store: values.store, role: values.role as Role, port };
}
