import { createHash } from 'node:crypto';
import type { InstanceId } from '../../../store/projection-store';
import { isStorableKey } from '../staged-append';

const hashed = 'sha256:';

/** @returns the text under which an instance is kept: its key, or where the database cannot keep that, a hash of it. */
export function storedKey(key: string, longest: number): string {
  const isShort = key.length * 3 <= longest || Buffer.byteLength(key) <= longest;
  if (isShort && isStorableKey(key) && !key.startsWith(hashed)) return key;
  return hashed + createHash('sha256').update(key, 'utf16le').digest('hex');
}

type Values = InstanceId['values'] | undefined;

/** What JSON has no word for: its kind and its text. */
type Written = string | number | boolean | { readonly bigint: string } | { readonly number: string };

/** @returns the text that an instance's ids are kept as: with the key where the stored one does not tell it. */
export function textOfIds(key: string, values: Values, stored: string): string {
  return JSON.stringify({ ...(key !== stored && { key }), ...(values && { values: values.map(written) }) });
}

/** @returns the ids as they were. */
export function idsOfText(text: string, stored: string): { readonly key: string; readonly values: Values } {
  const { key = stored, values } = JSON.parse(text) as { readonly key?: string; readonly values?: readonly Written[] };
  return { key, values: values?.map(read) };
}

function written(value: InstanceId['values'][number]): Written {
  if (typeof value === 'bigint') return { bigint: String(value) };
  const isPlain = typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0));
  return isPlain ? value : { number: Object.is(value, -0) ? '-0' : String(value) };
}

function read(value: Written): InstanceId['values'][number] {
  if (typeof value !== 'object') return value;
  return 'bigint' in value ? BigInt(value.bigint) : Number(value.number);
}
