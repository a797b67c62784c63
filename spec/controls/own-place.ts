import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { type Database, DatabasePlace, mariadb, mysqlUrl } from './databases';

/**
 * Makes a place for whole databases: a schema, a database or a file of its own, so that tables which no store knows are
 * dropped with it. On MariaDB its defaults are those of old: texts in one byte a letter, compared without their case.
 */
export async function ownPlace(database: Database): Promise<DatabasePlace> {
  if (database !== mariadb) return database.make();
  const name = `ef_${randomBytes(5).toString('hex')}`;
  const url = new URL(mysqlUrl);
  url.pathname = `/${name}`;
  await asAdmin(`CREATE DATABASE \`${name}\` CHARACTER SET latin1 COLLATE latin1_swedish_ci`);
  return new DatabasePlace({}, { type: 'mariadb', url: url.href }, () => asAdmin(`DROP DATABASE \`${name}\``));
}

async function asAdmin(sql: string): Promise<void> {
  const admin = await new DataSource({ type: 'mysql', url: mysqlUrl }).initialize();
  await admin.query(sql);
  await admin.destroy();
}
