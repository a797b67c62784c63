import { setTimeout as later } from 'node:timers';
import { Breath } from '../../../lib/projections/feeding/breath';

describe('Breath', () => {
  it('lets timers fire while chunk follows chunk without anything to wait for', async () => {
    const breath = new Breath();
    let hasFired = false;
    later(() => {
      hasFired = true;
    }, 0);
    const end = performance.now() + 5_000;
    while (!hasFired && performance.now() < end) await breath.after(100);
    expect(hasFired).toBe(true);
  });

  it('goes on at once after few events', async () => {
    const breath = new Breath();
    let hasFired = false;
    setImmediate(() => {
      hasFired = true;
    });
    await breath.after(511);
    expect(hasFired).toBe(false);
  });
});
