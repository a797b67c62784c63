import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Registry } from 'eventfold';
import { Account, AccountBalance } from '../../samples/bank/account';

const root = join(__dirname, '../../..');
const text = (file: string) => readFileSync(join(root, file), 'utf8');
const filesIn = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file));

const readme = text('README.md');
const guides = filesIn('docs', '.md');
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...guides, ...filesIn('samples', '.md')];
const sources = ['samples', 'spec'].flatMap((folder) => filesIn(folder, '.ts')).map((file) => text(file).split('\n'));

/** @returns the content of each fence in that language. */
function fences(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, content = '']) => content);
}

/** Says whether the lines stand in the source one after another, all indented by as much. */
function stands(lines: readonly string[], source: readonly string[]): boolean {
  return source.some((line, start) => {
    const [first = ''] = lines;
    if (first === '' || !line.endsWith(first)) return false;
    const indent = line.slice(0, line.length - first.length);
    if (indent.trim() !== '') return false;
    return lines.every((wanted, index) => source[start + index] === (wanted === '' ? '' : indent + wanted));
  });
}

describe('README.md', () => {
  it('shows the quick start as it is', () => {
    expect(fences(readme, 'ts')).toContain(text('samples/quick-start/quick-start.ts'));
  });

  it('shows the diagram that the registry draws', () => {
    expect(fences(readme, 'mermaid')).toStrictEqual([`${Registry.of([Account, AccountBalance]).toMermaid()}\n`]);
  });

  it('shows what the samples print', () => {
    const [flights = '', quickStart] = fences(readme, 'text');
    const printed = outputOf('flights/main.js', '--store', 'memory').split('\n');
    expect(flights.split('\n').filter((line) => !printed.includes(line))).toStrictEqual([]);
    expect(quickStart).toBe(outputOf('quick-start/quick-start.js'));
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const named = [readme, text('CONTRIBUTING.md')].flatMap((page) => [...page.matchAll(/npm (?:run )?(test|(?<=run )[\w:]+)/g)]);
    expect(named.length).toBeGreaterThan(5);
    expect(named.map(([, script = '']) => script).filter((script) => scripts[script] === undefined)).toStrictEqual([]);
  });
});

describe('the documents', () => {
  it.each(pages)('%s links to files that exist', (page) => {
    const links = [...text(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toStrictEqual([]);
  });

  it.each(pages)('%s links to headings that it has', (page) => {
    const headings = [...text(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    const anchors = [...text(page).matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
    expect(anchors.filter((anchor) => !headings.includes(anchor))).toStrictEqual([]);
  });

  it.each(['README.md', ...guides, ...filesIn('samples', '.md')])('%s quotes code that the specs and samples run', (page) => {
    const quoted = fences(text(page), 'ts').map((fence) => fence.trimEnd().split('\n'));
    const invented = quoted.filter((lines) => !sources.some((source) => stands(lines, source)));
    expect(invented.map((lines) => lines.join('\n'))).toStrictEqual([]);
  });
});

function outputOf(sample: string, ...args: string[]): string {
  const file = join(root, 'dist/samples', sample);
  const { stdout } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  return stdout;
}
