import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { EventSourcingError } from '../event-sourcing-error';
import { type ContractArguments, contractCommand } from './contract-command';
import { type DescribeArguments, describeCommand, describeFormats } from './describe-command';
import { type ExitCode, paintFor, type Terminal } from './terminal';

const classesHelp = 'the compiled module that exports "classes", and "upcasters" if there are any';

const ways = `
The classes are those of --classes, else of eventfold.config.js, which exports them or names their module,
else of "eventfold": { "classes": "./dist/classes.js" } in package.json.

Exit codes: 0 all is well, 1 a change breaks what is stored, 2 the command could not do its work.`;

/** Runs the command line. @returns what the process is to end with. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = programOf(terminal, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return failure(error, terminal);
  }
}

function programOf(terminal: Terminal, end: (code: ExitCode) => void): Command {
  const program = new Command('eventfold')
    .description('Looks at the events, aggregates and projections of an application.')
    .version(release(), '-v, --version', 'write which release of eventfold this is')
    .helpCommand(false)
    .configureOutput({ writeOut: (text) => terminal.stdout.write(text), writeErr: (text) => terminal.stderr.write(text) })
    .exitOverride()
    .showHelpAfterError('Run it with --help to see what there is.')
    .addHelpText('after', ways);
  program
    .command('contract')
    .description('hold the classes against eventfold.lock.json: would a change break what is stored?')
    .option('--classes <module>', classesHelp)
    .option('--lock <file>', 'the file that holds the contract (default: eventfold.lock.json)')
    .option('--write', 'write the contract, unless a change breaks what is stored')
    .option('--accept-breaking', 'with --write: take changes that break what is stored, too')
    .option('--golden <folder>', 'keep an example of each version there, and give each to upcasters and handlers')
    .option('--json', 'write JSON')
    .action(async (given: ContractArguments) => end(await contractCommand(given, terminal)));
  program
    .command('describe')
    .description('write what the classes come to: a catalogue, a diagram, a document for machines')
    .option('--classes <module>', classesHelp)
    .addOption(new Option('--format <format>', 'what to write').choices(describeFormats).default('markdown'))
    .option('--title <title>', 'the title of the catalogue or document', 'Events')
    .option('--api-version <version>', 'the version that an AsyncAPI document says', '1.0.0')
    .action(async (given: DescribeArguments) => end(await describeCommand(given, terminal)));
  return program;
}

function release(): string {
  const manifest = readFileSync(join(__dirname, '../../../package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** What commander reports it has written already. */
function failure(error: unknown, { stderr }: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const text = error instanceof EventSourcingError ? `${error.message} [${error.code}]` : detailsOf(error);
  stderr.write(`${paintFor(stderr).bad('eventfold:')} ${text}\n`);
  return 2;
}

function detailsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
