import type { ContractReport } from './check-contract';
import type { ContractChange } from './contract-change';

/** Colours of words; without them, nothing. */
export interface Paint {
  readonly bad: (text: string) => string;
  readonly good: (text: string) => string;
  readonly faint: (text: string) => string;
}

const plain: Paint = { bad: (text) => text, good: (text) => text, faint: (text) => text };

/** @returns what a report says, for people. */
export function reportText(report: ContractReport, paint = plain): string {
  const { file, isNew, isOutdated, changes } = report;
  if (isNew && changes.length === 0) return `${paint.bad(`There is no ${file} yet.`)} Write it: npx eventfold contract --write`;
  const broken = changes.filter(({ kind }) => kind === 'breaking');
  const notes = changes.filter(({ kind }) => kind === 'additive');
  const parts = [
    ...broken.map((change) => changeText(change, paint.bad('✗'))),
    ...notes.map((change) => changeText(change, paint.faint('·'))),
    summary(broken.length, paint),
  ];
  if (broken.length === 0 && isOutdated) parts.push(`${file} is older than the classes: npx eventfold contract --write`);
  return parts.join('\n');
}

function summary(count: number, paint: Paint): string {
  if (count === 0) return paint.good('Everything that is stored can be read.');
  const what = count === 1 ? 'One change breaks' : `${count} changes break`;
  return paint.bad(`${what} what is stored.`);
}

function changeText({ code, name, version, path, problem, remedy }: ContractChange, mark: string): string {
  const place = [name, ...(version === undefined ? [] : [`version ${version}`]), ...(path ? [path] : [])].join(', ');
  const lines = [`${mark} ${place}: ${problem} [${code}]`];
  if (remedy !== '') lines.push(`    ${remedy}.`);
  return lines.join('\n');
}
