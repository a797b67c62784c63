import type { Class } from '../../events/event-class';
import type { EventStore } from '../../store/event-store';
import type { ProjectionStore } from '../../store/projection-store';
import type { TestRunner } from '../test-runner';
import { Scene } from './scene';
import { definitionOf, type Tally, TallyDocument } from './tally';

/** A place for projections without any, and the events that they are folded from. */
export interface OpenedProjections {
  /** Holds no events. It is closed when the rule ends. */
  readonly store: EventStore;
  /** `store.projections` unless given. */
  readonly projections?: ProjectionStore;
  /** Opens the same place once more, as another process would; left out where that is not possible. */
  readonly openAgain?: () => Promise<EventStore>;
  /**
   * What is kept: a class whose constructor takes no arguments, with an id `id`, a number `total` and `note`, a text or
   * null. It may have a table of its own. A plain class, kept as documents, unless given.
   */
  readonly target?: Class<Tally>;
}

/** Opens a place for projections, apart from all opened before. */
export type OpenProjections = () => Promise<OpenedProjections>;

/** What the rules are written with. */
export interface RuleBook {
  readonly describe: TestRunner['describe'];
  readonly expect: TestRunner['expect'];
  /** States a rule, and shows it on a place of its own. */
  readonly it: (rule: string, show: (scene: Scene) => Promise<void>) => void;
}

/** @returns a rule book whose rules each open a place, and close its stores also when they fail. */
export function ruleBook(open: OpenProjections, { describe, it, expect }: TestRunner): RuleBook {
  return {
    describe,
    expect,
    it: (rule, show) => {
      it(rule, async () => {
        const opened = await open();
        const stores = [opened.store];
        try {
          await show(await sceneOf(opened, stores));
        } finally {
          for (const store of stores.reverse()) await store.close();
        }
      });
    },
  };
}

async function sceneOf({ store, projections, openAgain, target = TallyDocument }: OpenedProjections, stores: EventStore[]) {
  const place = projections ?? store.projections;
  if (place === undefined) throw new TypeError('The store keeps no projections. Give { projections } beside it.');
  const another = async (): Promise<ProjectionStore | undefined> => {
    const again = await openAgain?.();
    if (again !== undefined) stores.push(again);
    return again?.projections;
  };
  const definition = definitionOf({ projection: 'Tallies', target, kind: place.kindOf(target), ids: ['id'] });
  return Scene.begin({ store, place, another, definition });
}
