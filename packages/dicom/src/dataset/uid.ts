/** UIDs under the 2.25 root (PS3.5 B.2): a UUID as one decimal number; random, or derived from a seed for reproducible output. */
import { createHash, randomUUID } from 'node:crypto';

/** Ours, in every file we write: PS3.10 7.1 (0002,0012). Made once from a random UUID and never changed. */
export const IMPLEMENTATION_CLASS_UID = '2.25.245712250733492291150535952963608260927';
export const IMPLEMENTATION_VERSION_NAME = 'ISOCENTER_0.1';

const ROOT = '2.25.';

export function newUID(): string {
  return ROOT + BigInt(`0x${randomUUID().replaceAll('-', '')}`).toString();
}

/** The same seed gives the same UID: the first 128 bits of its SHA-256, marked as a version 8 UUID (RFC 9562). */
export function uidFrom(seed: string): string {
  const bytes = createHash('sha256').update(seed, 'utf8').digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return ROOT + BigInt(`0x${bytes.toString('hex')}`).toString();
}
