import { DuckDBInstance } from '@duckdb/node-api';
import type { FlightRecord } from './records';

/** Reads flights by number, in the order of the file. DuckDB skips to the first of them, and hands over 2,048 rows at a time. */
export async function* readParquet(file: string, from: number, to: number): AsyncGenerator<FlightRecord> {
  const duckdb = await DuckDBInstance.create(':memory:');
  const connection = await duckdb.connect();
  try {
    const rows = await connection.stream(
      `SELECT (file_row_number + 1)::INT AS number, strftime("date", '%Y-%m-%dT%H:%M') AS "date",
         delay::INT AS delay, distance::INT AS distance, origin, destination
       FROM read_parquet('${file.replaceAll("'", "''")}', file_row_number = true)
       WHERE file_row_number BETWEEN ${from - 1} AND ${to - 1}`,
    );
    for await (const chunk of rows.yieldRowObjectJs()) yield* chunk as unknown as FlightRecord[];
  } finally {
    connection.closeSync();
    duckdb.closeSync();
  }
}
