import { type AnyAggregate, expectUnchanged } from '../aggregates/aggregate-root';
import { nameOf } from '../events/event-class';
import { checkOptions, InvalidArgumentError } from '../events/invalid-argument-error';
import { etagOf, loadedState } from './etag';
import { InvalidHeaderError, PreconditionFailedError, PreconditionRequiredError } from './http-errors';

/** What {@link requireMatch} does without the header. */
export interface MatchOptions {
  /** `'refuse'`, unless given, or `'allow'`: then the next command runs on whatever there is. */
  readonly missing?: 'refuse' | 'allow';
}

/**
 * Holds a loaded aggregate against the `If-Match` of a request, and has its commands find the same state: one that others change
 * before the command is stored is refused, and not run again on what they made of it.
 *
 * @param ifMatch The header: tags that {@link etagOf} gave, or `*` for any instance that has events.
 * @throws {@link PreconditionFailedError} when no tag is the aggregate's, as that of another instance or a weak one; also from
 * its next command.
 * @throws {@link PreconditionRequiredError} when the header is missing.
 * @throws {@link InvalidHeaderError} when the header is no list of entity tags.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.if-match
 */
export function requireMatch(aggregate: AnyAggregate, ifMatch: string | undefined, options: MatchOptions = {}): void {
  checkOptions('requireMatch', options, ['missing']);
  const { missing = 'refuse' } = options;
  if (missing !== 'refuse' && missing !== 'allow')
    throw new InvalidArgumentError(`requireMatch takes missing 'refuse' or 'allow', not ${nameOf(missing)}.`);
  const { folded } = loadedState(aggregate);
  if (ifMatch === undefined) {
    if (missing === 'refuse') throw new PreconditionRequiredError();
    return;
  }
  const tags = tagsIn(ifMatch);
  if (tags === 'any') {
    if (folded === 0) throw new PreconditionFailedError();
    return;
  }
  if (!tags.includes(etagOf(aggregate))) throw new PreconditionFailedError();
  expectUnchanged(aggregate, () => new PreconditionFailedError());
}

/** One member of the list, up to the next comma. No blank may be read in two ways: a header of blanks would take long. */
const member = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;

/** @returns the tags that can match: a weak one never does. */
function tagsIn(header: string): readonly string[] | 'any' {
  if (typeof header === 'string' && header.trim() === '*') return 'any';
  const strong: string[] = [];
  let tags = 0;
  member.lastIndex = 0;
  while (typeof header === 'string' && member.lastIndex < header.length) {
    const found = member.exec(header);
    if (found === null) break;
    const [, weak, tag] = found;
    if (tag !== undefined) tags += 1;
    if (tag !== undefined && weak === undefined) strong.push(tag);
    if (member.lastIndex === header.length) return tags > 0 ? strong : refuse();
  }
  return refuse();
}

function refuse(): never {
  throw new InvalidHeaderError('If-Match', 'is no list of entity tags, such as "a", "b"');
}
