import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const script = `
const { Parser } = require('@asyncapi/parser');
let text = '';
process.stdin.on('data', (part) => { text += part; });
process.stdin.on('end', async () => {
  const { document, diagnostics } = await new Parser().parse(text);
  const errors = diagnostics.filter(({ severity }) => severity === 0).map(({ message, path }) => message + ' at ' + path.join('/'));
  console.log(JSON.stringify(document === undefined && errors.length === 0 ? ['no document'] : errors));
});
`;

/** @returns what AsyncAPI's own parser finds wrong. It runs by itself: what it loads is not made for jest. */
export function judgeAsyncApi(document: object): string[] {
  const cwd = join(__dirname, '../../..');
  const { stdout, stderr } = spawnSync(process.execPath, ['--eval', script], {
    cwd,
    encoding: 'utf8',
    input: JSON.stringify(document),
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}
