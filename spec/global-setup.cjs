const { access, constants } = require('node:fs/promises');

/** Looks, once before all specs, which databases and browsers are there. The specs of a missing one are skipped; in CI that is an error. */
module.exports = async () => {
  const { mysqlUrl, postgresUrl } = require('../dist/spec/controls/servers.js');
  const { chromiumPath } = require('../dist/samples/shop/chromium.js');
  const probes = [
    ['PostgreSQL', `at ${new URL(postgresUrl).host}`, () => askPostgres(postgresUrl)],
    ['MariaDB', `at ${new URL(mysqlUrl).host}`, () => askMySql(mysqlUrl)],
    ['PGlite', 'in this process', askNode],
    ['Chromium', `at ${chromiumPath}`, () => access(chromiumPath, constants.X_OK)],
  ];
  const missing = [];
  for (const [name, place, ask] of probes) {
    const reason = await ask().then(
      () => undefined,
      (error) => error.message || error.code,
    );
    if (reason !== undefined) missing.push({ name, message: `${name} does not answer ${place}: ${reason}` });
  }
  process.env.EVENTFOLD_MISSING = missing.map(({ name }) => name).join(',');
  if (!missing.some(({ name }) => name === 'PGlite')) process.env.EVENTFOLD_PGLITE = await emptyPGlite();
  if (missing.length === 0) return;
  const messages = missing.map(({ message }) => message).join('\n');
  if (process.env.CI === 'true') throw new Error(`The specs need every database, and Chromium, where CI=true.\n${messages}`);
  process.stderr.write(`${messages}\nThe specs that need it are skipped.\n`);
};

async function askPostgres(url) {
  const { Client } = require('pg');
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function askMySql(url) {
  const { createConnection } = require('mysql2/promise');
  const connection = await createConnection({ uri: url, connectTimeout: 3_000 });
  await connection.query('SELECT 1');
  await connection.end();
}

/** PGlite imports modules, which Jest allows under a flag only. */
async function askNode() {
  const { SourceTextModule } = require('node:vm');
  if (SourceTextModule === undefined) throw new Error('Node runs without --experimental-vm-modules; `npm test` gives it');
}

/** Makes an empty database once: to begin with a copy of it takes a fifth of the time. */
async function emptyPGlite() {
  const { existsSync, writeFileSync } = require('node:fs');
  const { join } = require('node:path');
  const path = join(__dirname, '../dist/pglite.tar');
  if (existsSync(path)) return path;
  const { PGlite } = require('@electric-sql/pglite');
  const database = await PGlite.create();
  const contents = await database.dumpDataDir('none');
  writeFileSync(path, Buffer.from(await contents.arrayBuffer()));
  await database.close();
  return path;
}
