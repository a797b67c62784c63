import { createHash } from 'node:crypto';

/** @returns a short text that differs when the value does. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22);
}
