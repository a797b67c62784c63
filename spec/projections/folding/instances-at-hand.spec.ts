import { InstancesAtHand } from '../../../lib/projections/folding/instances-at-hand';
import type { InstanceId, SavedInstance } from '../../../lib/store/projection-store';

const idOf = (key: string): InstanceId => ({ key, values: [key] });
const saved = (key: string, state: object = { key }): SavedInstance => ({ id: idOf(key), state, isNew: false });

/** A store in which each instance is, and what was loaded of it. */
function storeOf() {
  const loaded: string[] = [];
  const load = async (ids: readonly InstanceId[]) => {
    loaded.push(...ids.map(({ key }) => key));
    return new Map(ids.map(({ key }): [string, object] => [key, { key, isLoaded: true }]));
  };
  return { loaded, load };
}

describe('InstancesAtHand', () => {
  it('loads only what is not at hand', async () => {
    const { loaded, load } = storeOf();
    const atHand = new InstancesAtHand();
    const state = { key: 'a' };
    atHand.keep([saved('a', state)]);
    const states = await atHand.before(load)([idOf('a'), idOf('b')]);
    expect(states.get('a')).toBe(state);
    expect(states.get('b')).toStrictEqual({ key: 'b', isLoaded: true });
    expect(loaded).toStrictEqual(['b']);
  });

  it('hands an instance out once: what is not kept again is loaded', async () => {
    const { loaded, load } = storeOf();
    const atHand = new InstancesAtHand();
    atHand.keep([saved('a')]);
    await atHand.before(load)([idOf('a')]);
    await atHand.before(load)([idOf('a')]);
    expect(loaded).toStrictEqual(['a']);
  });

  it('loads everything once it was cleared', async () => {
    const { loaded, load } = storeOf();
    const atHand = new InstancesAtHand();
    atHand.keep([saved('a')]);
    atHand.clear();
    await atHand.before(load)([idOf('a')]);
    expect(loaded).toStrictEqual(['a']);
  });

  it('lets go of those that were kept longest ago when there are too many', async () => {
    const { loaded, load } = storeOf();
    const atHand = new InstancesAtHand();
    const keys = Array.from({ length: 20_002 }, (_, index) => `${index}`);
    atHand.keep(keys.map((key) => saved(key)));
    await atHand.before(load)(keys.map(idOf));
    expect(loaded).toStrictEqual(['0', '1']);
  });
});
