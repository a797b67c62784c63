import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EventSourcing } from 'eventfold';
import { eventStoreEntities, TypeOrmEventStore } from 'eventfold/typeorm';
import { DataSource } from 'typeorm';
import { Account, AccountBalance } from '../../../samples/bank/account';

describe('A Nest application that gets SIGTERM under load', () => {
  const folder = mkdtempSync(join(tmpdir(), 'eventfold-nest-'));
  const database = join(folder, 'bank.sqlite');

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('ends with each append under way stored and resolved, or refused, and its projections kept', async () => {
    const child = spawn(process.execPath, [join(__dirname, 'depositing.js'), database], { stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: string[] = [];
    let complaints = '';
    child.stderr.on('data', (text) => {
      complaints += String(text);
    });
    const isLoaded = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        if (lines.length === 200) resolve();
      });
    });
    const exited = once(child, 'close');
    await Promise.race([isLoaded, exited]);
    child.kill('SIGTERM');
    expect({ how: await exited, complaints }).toStrictEqual({ how: [null, 'SIGTERM'], complaints: '' });

    const stored = lines.filter((line) => line === 'stored').length;
    expect(stored).toBeGreaterThan(150);
    const others = lines.filter((line) => line !== 'stored' && line !== 'refused CLOSED');
    expect(others).toStrictEqual(['ended by SIGTERM']);

    const entities = eventStoreEntities('better-sqlite3');
    const type = 'better-sqlite3' as const;
    const dataSource = await new DataSource({ type, database, driver: require('libsql'), entities }).initialize();
    const store = new TypeOrmEventStore(dataSource);
    const es = await EventSourcing.open({ store, classes: [Account, AccountBalance], projections: { run: 'manual' } });
    const [status] = await es.projections.status(AccountBalance);
    expect(status).toMatchObject({ parked: 0, state: 'stopped' });
    await es.projections.start();
    await es.projections.caughtUp();
    const balances = await es.projections.all(AccountBalance);
    let events = 0;
    for await (const _event of store.read({})) events += 1;
    expect(events).toBe(stored);
    expect(balances.reduce((sum, { balance }) => sum + balance, 0)).toBe(stored);
    await es.close();
    await dataSource.destroy();
  });
});
