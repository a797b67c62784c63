import type { ColumnOptions } from 'typeorm';

/** A column of whole numbers that sums outgrow 32 bits in. PostgreSQL's driver gives them as text. */
export const largeWhole: ColumnOptions = {
  type: 'bigint',
  transformer: { to: (value: unknown) => value, from: (value: unknown) => Number(value) },
};
