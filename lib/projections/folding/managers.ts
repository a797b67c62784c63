import { type ManagerSource, ManagerWanted } from './projection-context';

/** The manager of handlers that run outside of a transaction: there is none, but it is noted who asked. */
export class LaterManager implements ManagerSource {
  isWanted = false;

  get manager(): unknown {
    this.isWanted = true;
    throw new ManagerWanted();
  }
}
