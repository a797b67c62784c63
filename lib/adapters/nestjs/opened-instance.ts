import type { EventSourcing } from '../../event-sourcing';
import { ModuleStartError } from './module-start-error';
import { defaultName, openedToken } from './tokens';

/** What a factory injects to have {@link openedInstance} look at. */
export function injectOpened(name: string): { readonly token: string; readonly optional: true } {
  return { token: openedToken(name), optional: true };
}

/** @throws {@link ModuleStartError} where no module opens that instance. */
export function openedInstance(es: EventSourcing | undefined, name: string): EventSourcing {
  if (es !== undefined) return es;
  const call = name === defaultName ? 'forRoot({ … })' : `forRoot({ name: '${name}', … })`;
  throw new ModuleStartError(name, `It is nowhere opened. Import EventSourcingModule.${call} in the root module.`);
}
