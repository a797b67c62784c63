import type { Paint } from '../contract/report-text';

/** Where a command runs, and what it writes to. */
export interface Terminal {
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
}

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** What a command ends with: all is well, stored events would break, or the command could not do its work. */
export type ExitCode = 0 | 1 | 2;

const none = (text: string) => text;

/** @returns colours for a terminal; none for a file or a pipe, and none where NO_COLOR is set. */
export function paintFor({ isTTY }: Output): Paint {
  if (isTTY !== true || (process.env.NO_COLOR ?? '') !== '') return { bad: none, good: none, faint: none };
  const painted = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[39m`;
  return { bad: painted(31), good: painted(32), faint: painted(90) };
}
