import { EventSourcing, InMemoryEventStore, type RecordedEvent } from 'eventfold';
import { fixedClock, sequentialIds } from 'eventfold/testing';
import { Account } from './account';

const uuids = sequentialIds('5eed0000-0000-4000-8000-00000000000');

/**
 * The first day of the bank.
 *
 * @returns its log, an event a line. Ids and times are given, so that it is always the same.
 */
export async function writeLog(): Promise<string> {
  const store = new InMemoryEventStore();
  const clock = fixedClock('2019-04-01T09:00:00Z');
  const es = await EventSourcing.open({ store, classes: [Account], clock, ids: sequentialIds('bank-1-') });
  const [ada, ben, cleo] = [uuids(), uuids(), uuids()] as const;
  const at = async (accountId: string) => {
    clock.advance(60_000);
    return es.loadOrCreate(Account, { accountId });
  };
  await (await at(ada)).open('Ada', '60.00');
  await (await at(ben)).open('Ben', '30.00');
  await (await at(ada)).payIn('cash', '59.95');
  await (await at(ada)).payIn('cheque', '0.05');
  await (await at(cleo)).open('Cleo', '5.00');
  await (await at(cleo)).printStatement();
  await (await at(ada)).send(ben, '20.00');
  const lines: string[] = [];
  for await (const recorded of store.read({})) lines.push(JSON.stringify(stored(recorded)));
  await es.close();
  return `${lines.join('\n')}\n`;
}

/** Positions are the store's own. */
function stored({ stream, version, type, schemaVersion, data, tags, metadata, id, time }: RecordedEvent): object {
  return { stream, version, type, schemaVersion, data, tags, metadata, id, time };
}

if (require.main === module) void writeLog().then((log) => process.stdout.write(log));
