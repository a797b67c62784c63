import { isDeepStrictEqual } from 'node:util';
import { Observable } from 'rxjs';
import type { Position } from '../../events/recorded-event';
import type { Identity } from '../../metadata/identity';
import { copyState } from '../../store/copy-state';
import type { KeptProjection } from '../running/kept-projection';
import type { RowChange, Told } from './row-changes';
import type { InstanceUpdate, StartUpdate, Update } from './update';

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
    const look = async () => {
      const { position } = kept.changes.told;
      show(await load(), position);
    };
    const changes = kept.changes.all().subscribe({
      next: ({ id, state, position, isOfSwap }) => {
        if (id.key !== identity.key || isOfSwap) return;
        reading = reading.then(() => show(state, position));
      },
      complete: () => void reading.then(() => subscriber.complete()),
    });
    // It may have been there before the swap only.
    const swaps = kept.changes.swapped.subscribe(() => {
      reading = reading.then(look);
      reading.catch((error: unknown) => subscriber.error(error));
    });
    changes.add(swaps);
    reading = kept.changes.whenReady().then(look);
    reading.catch((error: unknown) => subscriber.error(error));
    return changes;
  });
}

/** Tells each instance of a projection that keeps state that changes, after what was told before or from now on. */
export function updatesOfKept(kept: KeptProjection, after: Told | undefined, maxEvents: number): Observable<Update<object>> {
  return new Observable((subscriber) => {
    let telling: Promise<void> = Promise.resolve();
    const tell = ({ id, state, ...told }: RowChange): void => {
      const ids = kept.definition.idsOf(id.values) ?? {};
      subscriber.next({ kind: 'instance', ids, state: state && copyState(state), ...placeOf(told) });
    };
    const start = (told: Told, hasMissed: boolean): void => subscriber.next({ kind: 'start', ...placeOf(told), hasMissed });
    const changes = kept.changes.all().subscribe({
      next: (change) => {
        // All that a swap may have changed is to be read anew.
        if (!change.isOfSwap) telling = telling.then(() => tell(change));
      },
      complete: () => void telling.then(() => subscriber.complete()),
    });
    const swaps = kept.changes.swapped.subscribe((told) => {
      telling = telling.then(() => start(told, true));
    });
    changes.add(swaps);
    const begin = async () => {
      await kept.changes.whenReady();
      if (after === undefined) return start(kept.changes.told, false);
      const { changes: earlier, hasMissed, ...told } = await kept.changes.since(after, maxEvents);
      start(earlier.length === 0 ? told : { ...told, position: after.position }, hasMissed);
      for (const change of earlier) tell(change);
      return undefined;
    };
    telling = begin();
    telling.catch((error: unknown) => subscriber.error(error));
    return changes;
  });
}

function placeOf({ position, edition }: Told): Pick<StartUpdate, 'position' | 'edition'> {
  return { position, ...(edition !== undefined && { edition }) };
}
