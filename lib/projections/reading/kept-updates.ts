import { isDeepStrictEqual } from 'node:util';
import { Observable } from 'rxjs';
import type { Position } from '../../events/recorded-event';
import type { Identity } from '../../metadata/identity';
import { copyState } from '../../store/copy-state';
import type { KeptProjection } from '../running/kept-projection';
import type { RowChange } from './row-changes';
import type { InstanceUpdate, Update } from './update';

/**
 * Tells one instance of a projection that keeps state as it is now, then after every change.
 *
 * @param load Reads the instance as it is kept.
 */
export function watchKept(
  kept: KeptProjection,
  identity: Identity,
  load: () => Promise<object | undefined>,
): Observable<InstanceUpdate<object>> {
  const ids = kept.definition.idsOf(identity.values) ?? {};
  return new Observable((subscriber) => {
    let last: { readonly state: object | undefined } | undefined;
    let reading: Promise<void> = Promise.resolve();
    const show = (state: object | undefined, position: Position | undefined): void => {
      if (last !== undefined && isDeepStrictEqual(last.state, state)) return;
      last = { state };
      subscriber.next({ kind: 'instance', ids, state: state && copyState(state), position });
    };
    const changes = kept.changes.all().subscribe({
      next: ({ id, state, position }) => {
        if (id.key !== identity.key) return;
        reading = reading.then(() => show(state, position));
      },
      complete: () => void reading.then(() => subscriber.complete()),
    });
    const begin = async () => {
      await kept.changes.whenReady();
      const { toldUpTo } = kept.changes;
      show(await load(), toldUpTo);
    };
    reading = begin();
    reading.catch((error: unknown) => subscriber.error(error));
    return changes;
  });
}

/** Tells each instance of a projection that keeps state that changes, after a position or from now on. */
export function updatesOfKept(kept: KeptProjection, after: Position | undefined, maxEvents: number): Observable<Update<object>> {
  return new Observable((subscriber) => {
    let telling: Promise<void> = Promise.resolve();
    const tell = ({ id, state, position }: RowChange): void => {
      const ids = kept.definition.idsOf(id.values) ?? {};
      subscriber.next({ kind: 'instance', ids, state: state && copyState(state), position });
    };
    const changes = kept.changes.all().subscribe({
      next: (change) => {
        telling = telling.then(() => tell(change));
      },
      complete: () => void telling.then(() => subscriber.complete()),
    });
    const begin = async () => {
      await kept.changes.whenReady();
      const { toldUpTo } = kept.changes;
      if (after === undefined) {
        subscriber.next({ kind: 'start', position: toldUpTo, hasMissed: false });
        return;
      }
      const { changes: earlier, position, hasMissed } = await kept.changes.since(after, maxEvents);
      subscriber.next({ kind: 'start', position: earlier.length === 0 ? position : after, hasMissed });
      for (const change of earlier) tell(change);
    };
    telling = begin();
    telling.catch((error: unknown) => subscriber.error(error));
    return changes;
  });
}
