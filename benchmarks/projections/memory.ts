import { performance } from 'node:perf_hooks';
import { EventSourcing } from 'eventfold';
import { TypeOrmEventStore } from 'eventfold/typeorm';
import { accountBalance } from './account-balance';
import { fill } from './fill';
import { connect, type Place } from './place';

const sampleMs = 250;
const mebibyte = 2 ** 20;

interface Sample {
  readonly ms: number;
  /** Of what is still reachable, where garbage can be collected at will. */
  readonly heap: number;
  readonly resident: number;
}

/** What a rebuild holds in memory, at tenths of its time. */
export async function memory({ name, address }: Place, _other: Place, events: number): Promise<void> {
  const target = accountBalance('remembered');
  const dataSource = await connect(address, [target]);
  await fill(dataSource, events);
  const es = await EventSourcing.open({ store: new TypeOrmEventStore(dataSource), classes: [target] });
  await es.projections.caughtUp(target, { timeoutMs: Number.POSITIVE_INFINITY });
  const samples = await sampled(() => es.projections.rebuild(target));
  const { ms = 0 } = samples.at(-1) ?? {};
  console.log(
    `${name}: a rebuild of ${events.toLocaleString('en')} events in ${(ms / 1000).toFixed(1)} s; heap in use, and RSS, in MiB`,
  );
  const tenths = Array.from({ length: 11 }, (_, tenth) => samples[Math.round(((samples.length - 1) * tenth) / 10)] as Sample);
  console.log(`  ${tenths.map(({ heap, resident }) => `${heap.toFixed(0)}/${resident.toFixed(0)}`).join('  ')}`);
  await es.close();
  await dataSource.destroy();
}

async function sampled(work: () => Promise<unknown>): Promise<Sample[]> {
  const [samples, begun] = [[] as Sample[], performance.now()];
  const take = () => {
    global.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    samples.push({ ms: performance.now() - begun, heap: heapUsed / mebibyte, resident: rss / mebibyte });
  };
  take();
  const timer = setInterval(take, sampleMs);
  await work();
  clearInterval(timer);
  take();
  return samples;
}
