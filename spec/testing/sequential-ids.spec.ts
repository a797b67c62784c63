import { InvalidArgumentError } from 'eventfold';
import { sequentialIds } from 'eventfold/testing';

describe('sequentialIds', () => {
  it('counts from 1, each source by itself', () => {
    const [one, other] = [sequentialIds(), sequentialIds('event-')];
    expect([one(), one(), other(), one()]).toStrictEqual(['id-1', 'id-2', 'event-1', 'id-3']);
  });

  it('refuses a prefix that is no text', () => {
    expect(() => sequentialIds(7 as never)).toThrow(InvalidArgumentError);
  });
});
