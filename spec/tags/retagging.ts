import { EventSourcing, type TagSources } from 'eventfold';
import { type Address, connectTo } from '../adapters/typeorm/faults/address';
import { storeOver } from '../controls/store-over';
import { Tally, Wallet } from '../controls/wallets';

/** A process that adds the tags which wallets ask for, and prints how many events got theirs, page by page. */
async function main(address: Address): Promise<void> {
  const { dataSource, store } = await connectTo(address);
  const { tagSources: sources } = store;
  const tagSources: TagSources = {
    recorded: () => sources.recorded(),
    record: (coverages) => sources.record(coverages),
    forget: (source) => sources.forget(source),
    lacking: (type, tagName, range) => sources.lacking(type, tagName, range),
    add: async (added) => {
      console.log(`adding ${added.length}`);
      await sources.add(added);
    },
  };
  const count = await EventSourcing.retag({ store: storeOver(store, { tagSources }), classes: [Wallet, Tally] });
  console.log(`over ${count}`);
  await dataSource.destroy();
}

main(JSON.parse(process.argv[2] as string) as Address).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
