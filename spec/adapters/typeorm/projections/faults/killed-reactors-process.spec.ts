import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type DatabasePlace, describeDatabases, sqlite } from '../../../../controls/databases';
import { addressOf } from '../../faults/address';
import { Child } from '../../faults/child';

const kills = 3;

describeDatabases(
  'Processes that run a reactor and are killed',
  (database) => {
    let place: DatabasePlace;
    let folder: string;
    beforeAll(async () => {
      place = await database.make();
      folder = mkdtempSync(join(tmpdir(), 'eventfold-'));
    });
    afterAll(async () => {
      await place?.drop();
      rmSync(folder, { recursive: true, force: true });
    });

    it(`have it handle each event in order, at least once, and only the one under way once more, ${kills} times`, async () => {
      const address = addressOf(await place.dataSource(), place.tables);
      const file = join(folder, 'outbox');
      for (let time = 1; time <= kills; time += 1) {
        const child = new Child('../projections/faults/reacting', address, [file, String(time)]);
        await child.says();
        await delay(Math.random() * 300);
        child.kill();
        expect([(await child.exited).signal, child.complaints]).toStrictEqual(['SIGKILL', '']);
      }
      const last = new Child('../projections/faults/reacting', address, [file, 'last']);
      expect([(await last.exited).code, last.lines, last.complaints]).toStrictEqual([0, ['over'], '']);

      const stored: string[] = [];
      for await (const { id } of (await place.open()).read({})) stored.push(id);
      const noted = readFileSync(file, 'utf8').trim().split('\n');
      const [begun, done] = ['begun ', 'done '].map((word) =>
        noted.filter((line) => line.startsWith(word)).map((line) => line.slice(word.length)),
      ) as [string[], string[]];
      expect(stored.length).toBeGreaterThan(kills);
      expect([...new Set(begun)]).toStrictEqual(stored);
      expect(new Set(done)).toStrictEqual(new Set(stored));
      expect(begun.length - stored.length).toBeLessThanOrEqual(kills);
      // A repeat follows at once on the first time.
      expect(begun.filter((id, index) => id !== begun[index - 1])).toStrictEqual(stored);
    });
  },
  [sqlite],
);
