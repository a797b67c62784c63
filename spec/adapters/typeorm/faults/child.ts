import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A process that runs one of the programs beside this file, and says something line by line. */
export class Child {
  /** What it has said so far: whole lines only. */
  readonly lines: string[] = [];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  private errors = '';
  private readonly process: ChildProcess;
  private readonly heard = new Set<() => void>();

  /** @param program The name of the file; it is told `address` as JSON, and the other words. */
  constructor(program: string, address: object, words: readonly string[] = [], nodeOptions: readonly string[] = []) {
    const file = join(__dirname, `${program}.js`);
    this.process = spawn(process.execPath, [...nodeOptions, file, JSON.stringify(address), ...words]);
    this.process.stderr?.on('data', (text) => {
      this.errors += String(text);
    });
    const lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    let last = '';
    this.process.stdout?.on('data', (text) => {
      last = String(text);
    });
    const closed = once(lines, 'close');
    lines.on('line', (line) => {
      this.lines.push(line);
      for (const hear of this.heard) hear();
    });
    this.exited = once(this.process, 'close').then(async ([code, signal]) => {
      await closed;
      if (last !== '' && !last.endsWith('\n')) this.lines.pop(); // It was killed in the middle of a line.
      for (const hear of this.heard) hear();
      return { code, signal };
    });
  }

  /** What it wrote to its error output. */
  get complaints(): string {
    return this.errors;
  }

  /** Waits for a line. @throws when the process ends without it. */
  async says(isAwaited: (line: string) => boolean = () => true): Promise<string> {
    let hear: (() => void) | undefined;
    const said = new Promise<string>((resolve) => {
      hear = () => {
        const line = this.lines.find(isAwaited);
        if (line !== undefined) resolve(line);
      };
      hear();
      this.heard.add(hear);
    });
    const ended = this.exited.then(({ code, signal }) => {
      throw new Error(`The process ended (${code ?? signal}) and said nothing of the kind. ${this.errors}`);
    });
    ended.catch(() => undefined);
    return Promise.race([said, ended]);
  }

  tell(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  /** Has it stand still, wherever it is. */
  halt(): void {
    this.process.kill('SIGSTOP');
  }

  goOn(): void {
    this.process.kill('SIGCONT');
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }
}
