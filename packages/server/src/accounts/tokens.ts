/** Secrets made by us: 256 random bits, shown once, stored and looked up as SHA-256 only. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const BYTES = 32;
const KEY_START = 'iso_';
/** Enough to tell one's keys apart; the other 35 characters carry more than 200 bits. */
const PREFIX_CHARACTERS = KEY_START.length + 8;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** For sessions and links: 43 characters that need no escaping anywhere. */
export function newToken(): string {
  return randomBytes(BYTES).toString('base64url');
}

/** `iso_…`, so that secret scanners and people recognise it. */
export function newKey(): { readonly key: string; readonly prefix: string } {
  const key = KEY_START + newToken();
  return { key, prefix: key.slice(0, PREFIX_CHARACTERS) };
}

/** For the composition: written 0600 into the data directory at each start, so that its owner needs no account. */
export function newLocalToken(): string {
  return `isolocal_${newToken()}`;
}

/** Cheap refusal of what cannot be one of ours, before anything is hashed or asked. */
export function looksLikeToken(text: string): boolean {
  return TOKEN.test(text);
}

export function looksLikeKey(text: string): boolean {
  return text.startsWith(KEY_START) && TOKEN.test(text.slice(KEY_START.length));
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Takes as long whether the first or the last character differs. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b));
}
