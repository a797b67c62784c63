import { relative, resolve } from 'node:path';
import { breakingChanges, type ContractReport, checkContract } from '../contract/check-contract';
import { checkGoldenEvents, type GoldenReport, goldenText } from '../contract/golden-events';
import { writeLock } from '../contract/lock-file';
import { reportText } from '../contract/report-text';
import { InvalidArgumentError } from '../events/invalid-argument-error';
import { type Application, loadApplication } from './load-application';
import { type ExitCode, paintFor, type Terminal } from './terminal';

/** What `eventfold contract` is told. */
export interface ContractArguments {
  readonly classes?: string;
  readonly lock?: string;
  readonly write?: true;
  readonly acceptBreaking?: true;
  readonly golden?: string;
  readonly json?: true;
}

/** Compares the classes with the contract, and writes it when asked to. */
export async function contractCommand(given: ContractArguments, terminal: Terminal): Promise<ExitCode> {
  if (given.acceptBreaking && !given.write)
    throw new InvalidArgumentError('--accept-breaking goes with --write: nothing is accepted that is not written.');
  const { lock, ...application } = await loadApplication(terminal.cwd, given);
  const report = checkContract({ ...application, file: lock });
  const shown = { ...report, file: relative(terminal.cwd, lock) || lock };
  const isBroken = breakingChanges(report).length > 0;
  const isUnfit = report.mistakes.length > 0;
  const isWritten = given.write === true && (!isBroken || (given.acceptBreaking === true && !isUnfit));
  if (isWritten) writeLock(lock, report.contract);
  const golden =
    given.golden === undefined || isUnfit ? undefined : await goldenReport(given.golden, { lock, ...application }, terminal);
  if (given.json) terminal.stdout.write(`${JSON.stringify({ ...jsonReport(shown, isWritten), golden }, undefined, 2)}\n`);
  else {
    const lines = [text(shown, { isWritten, isRefused: given.write === true && !isWritten }, terminal)];
    if (golden !== undefined) lines.push(textOfGolden(golden, terminal));
    terminal.stdout.write(`${lines.join('\n')}\n`);
  }
  return exitCode({ isBroken: isBroken && !isWritten, isMissing: report.isNew && !isWritten }, golden);
}

function exitCode(
  { isBroken, isMissing }: { readonly isBroken: boolean; readonly isMissing: boolean },
  golden?: GoldenReport,
): ExitCode {
  if (isBroken || (golden?.failures.length ?? 0) > 0) return 1;
  return isMissing ? 2 : 0;
}

async function goldenReport(folder: string, { lock, ...application }: Application, { cwd }: Terminal): Promise<GoldenReport> {
  const report = await checkGoldenEvents(resolve(cwd, folder), { ...application, file: lock });
  const failures = report.failures.map(({ file, place, problem }) => ({ file: relative(cwd, file) || file, place, problem }));
  return { ...report, failures };
}

function textOfGolden({ written, checked, failures, withheld }: GoldenReport, { stdout }: Terminal): string {
  const paint = paintFor(stdout);
  const lines = written.map((example) => `${paint.faint('+')} an example of ${example}`);
  if (withheld === 'no contract') lines.push('No example is kept before there is a contract.');
  const passed = `${checked} ${checked === 1 ? 'example' : 'examples'} can be read and handled.`;
  return [...lines, failures.length === 0 ? paint.good(passed) : paint.bad(goldenText(failures))].join('\n');
}

function text(
  report: ContractReport,
  { isWritten, isRefused }: { readonly isWritten: boolean; readonly isRefused: boolean },
  { stdout }: Terminal,
): string {
  const paint = paintFor(stdout);
  if (!isWritten) {
    const way =
      report.mistakes.length > 0
        ? 'Mend the upcasters first.'
        : `${report.file} takes such changes with --write --accept-breaking.`;
    const refusal = `Nothing is written. ${way}`;
    return [reportText(report, paint), ...(isRefused ? [refusal] : [])].join('\n');
  }
  const events = Object.keys(report.contract.events).length;
  const written = paint.good(`${report.file} holds ${events} ${events === 1 ? 'event' : 'events'}. Commit it.`);
  return report.changes.length === 0 ? written : [reportText({ ...report, isOutdated: false }, paint), written].join('\n');
}

function jsonReport({ file, isNew, isOutdated, changes }: ContractReport, isWritten: boolean): object {
  const isBroken = changes.some(({ kind }) => kind === 'breaking');
  return { file, isNew, isBroken, isOutdated: isOutdated && !isWritten, isWritten, changes };
}
