import type { Address } from './address';

/** A process that holds a file of SQLite locked, for a time in milliseconds. */
const { file } = JSON.parse(process.argv[2] as string) as Address;
const Database = require('libsql') as new (file: string) => { exec(sql: string): void };

const database = new Database(file as string);
database.exec('BEGIN IMMEDIATE');
console.log('locked');
setTimeout(() => {
  database.exec('ROLLBACK');
  console.log('free');
}, Number(process.argv[3]));
