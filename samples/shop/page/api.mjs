/** What the shop refused: a problem of RFC 9457. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title ?? 'The shop did not answer as expected. Try again.');
    this.problem = problem;
  }
}

const positionHeader = 'Eventfold-Position';
/** Where the shop's events were after the last change. Sent along, it has the next answer show that change. */
let position;

/**
 * Sends a request to the shop.
 *
 * @returns what it answered, and the ETag, which says in which state that was.
 * @throws Refused with the problem.
 */
export async function call(method, path, { body, ifMatch } = {}) {
  const headers = { accept: 'application/json, application/problem+json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (ifMatch !== undefined) headers['if-match'] = ifMatch;
  if (position !== undefined) headers[positionHeader] = position;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) }).catch(() => {
    throw new Refused({ status: 0, detail: 'The shop cannot be reached. Check the connection, then try again.' });
  });
  position = response.headers.get(positionHeader) ?? position;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused({ status: response.status, ...answer });
  return { answer, tag: response.headers.get('etag') ?? undefined };
}
