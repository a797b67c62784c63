import type { DataSource, QueryRunner } from 'typeorm';
import { type PostgresConnection, PostgresMessages } from '../../../lib/adapters/typeorm/postgres-messages';
import { type DatabasePlace, describeDatabases, postgres } from '../../controls/databases';

const odd = `it's "quoted", \\back\\slashed, {braced}, $1 and ünï¢ode 🎈\n\t,NULL;--`;

const values: readonly (readonly [type: string, value: unknown])[] = [
  ['text', odd],
  ['text', ''],
  ['text', null],
  ['varchar', 'NULL'],
  ['integer', -7],
  ['bigint', '9007199254740993'],
  ['boolean', true],
  ['double precision', 0.1],
  ['double precision', Number.NaN],
  ['numeric', '12.340'],
  ['timestamptz', new Date('2026-11-21T14:00:00.123Z')],
  ['timestamp', new Date('2026-11-21T14:00:00.123Z')],
  ['bytea', Buffer.from([0, 39, 92, 255])],
  ['jsonb', { odd, more: [1, null, { odd }] }],
  ['uuid', '0a1b2c3d-0000-4000-8000-000000000001'],
  ['text[]', [odd, '', null, 'NULL', '{}']],
  ['text[]', []],
  ['integer[]', [1, null, -3]],
  ['boolean[]', [true, false]],
  ['timestamptz[]', [new Date('2026-11-21T14:00:00.123Z'), null]],
  ['bytea[]', [Buffer.from([0, 39, 92, 255])]],
  ['jsonb[]', [JSON.stringify({ odd }), 'null']],
];

describeDatabases(
  'PostgresMessages',
  (database) => {
    let place: DatabasePlace;
    let dataSource: DataSource;
    let runner: QueryRunner;
    let connection: PostgresConnection;

    beforeAll(async () => {
      place = await database.make();
      dataSource = await place.connect();
      runner = dataSource.createQueryRunner();
      connection = (await runner.connect()) as PostgresConnection;
    });
    afterAll(async () => {
      await runner.release();
      await place.drop();
    });

    const selected = (type: string, value: unknown, isFrequent: boolean) => ({
      sql: `SELECT $1::${type} AS "the $1 value"`,
      parameters: [value],
      isFrequent,
    });

    describe.each([true, false])('where statements may be prepared: %p', (mayPrepare) => {
      it.each(values)('passes on a value of %s as the driver does: %p', async (type, value) => {
        const messages = new PostgresMessages(mayPrepare);
        const [expected] = (await connection.query(`SELECT $1::${type} AS "the $1 value"`, [value])).rows;
        for (const isFrequent of [true, true, false]) {
          const first = { sql: 'SELECT 1', parameters: [], isFrequent };
          const { rows } = await messages.send(connection, [first, selected(type, value, isFrequent)]);
          expect(rows).toStrictEqual([expected]);
        }
      });

      it('runs nothing after what fails, and works on', async () => {
        const messages = new PostgresMessages(mayPrepare);
        const failing = { sql: 'SELECT 1 / $1::integer', parameters: [0], isFrequent: true };
        await expect(messages.send(connection, [selected('text', 'a', true), failing])).rejects.toMatchObject({ code: '22012' });
        expect(
          (
            await messages.send(
              connection,
              [failing, failing].map((each) => ({ ...each, parameters: [1] })),
            )
          ).rows,
        ).toHaveLength(1);
        expect((await messages.send(connection, [selected('text', 'b', true)])).rows).toStrictEqual([{ 'the $1 value': 'b' }]);
      });
    });

    it('gives what is held once', () => {
      const messages = new PostgresMessages(true);
      const [a, b] = [selected('text', 'a', true), selected('text', 'b', true)];
      messages.hold(runner, [a]);
      messages.hold(runner, [b]);
      expect(messages.held(runner)).toStrictEqual([a, b]);
      expect(messages.held(runner)).toStrictEqual([]);
    });
  },
  [postgres],
);
