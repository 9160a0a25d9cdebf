/**
 * Which passwords are refused (NIST SP 800-63B 3.1.1.2: length and known-bad passwords, no rules about kinds of characters).
 * Instead of a list of millions, what everybody guesses first is taken out of the password (common words, runs of the
 * keyboard, years, repetitions, the account's name); enough must be left.
 */
import { AccountError } from './account-error.js';

const MINIMUM_CHARACTERS = 12;
const MAXIMUM_CHARACTERS = 1024;
/** Characters that must be left after the guessable parts are gone. */
const MINIMUM_LEFT = 6;
const MINIMUM_DISTINCT = 5;

const WORDS =
  'password passwort passwd passw pass parola senha contrasena motdepasse kennwort admin administrator root user guest login logon ' +
  'letmein welcome willkommen bienvenue changeme change default secret geheim master super test temp demo qwerty qwertz azerty ' +
  'iloveyou love monkey dragon football baseball soccer sunshine princess shadow superman batman michael jordan harley trustno ' +
  'hello whatever freedom flower computer internet server service hospital klinik clinic doctor nurse radiology radiologie ' +
  'oncology medical health patient dicom pacs isocenter orthanc innereye monai summer winter spring autumn sommer monday friday ' +
  'january december company example abc xyz';

/** Longest first, so that `administrator` goes whole. */
const words = WORDS.split(' ').sort((a, b) => b.length - a.length);
const rows = [
  '1234567890',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'yxcvbnm',
  'abcdefghijklmnopqrstuvwxyz',
];
const runs = [...rows, ...rows.map((row) => [...row].reverse().join(''))];
const RUN = 4;

const leet: Readonly<Record<string, string>> = {
  '@': 'a',
  '4': 'a',
  '3': 'e',
  '1': 'i',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
};

/** What is hashed: the same keys pressed give the same bytes on every system. */
export function normalPassword(typed: string): string {
  return typed.normalize('NFKC');
}

/** Throws AccountError `weak-password`; the message never repeats the password. */
export function checkPassword(typed: string, name: string): void {
  const password = normalPassword(typed);
  const characters = [...password];
  if (characters.length < MINIMUM_CHARACTERS) throw weak(`It has fewer than ${MINIMUM_CHARACTERS} characters`);
  if (characters.length > MAXIMUM_CHARACTERS) throw weak(`It has more than ${MAXIMUM_CHARACTERS} characters`);
  const lower = password.toLowerCase();
  if (new Set(lower).size < MINIMUM_DISTINCT)
    throw weak(`It is made of fewer than ${MINIMUM_DISTINCT} different characters`);
  const names = nameParts(name);
  const spellings = [lower, [...lower].map((character) => leet[character] ?? character).join('')];
  if (spellings.some((spelling) => left(spelling, names) < MINIMUM_LEFT)) {
    throw weak(
      'It is mostly made of what is guessed first: common words, runs of keys, years, repetitions, or the name',
    );
  }
}

function nameParts(name: string): string[] {
  const lower = name.normalize('NFKC').toLowerCase();
  return [lower, ...lower.split(/[^\p{L}\p{N}]+/u)]
    .filter((part) => part.length > 2)
    .sort((a, b) => b.length - a.length);
}

/** How many characters remain without the guessable parts. */
function left(password: string, names: readonly string[]): number {
  let rest = password;
  for (const part of [...names, ...words]) rest = rest.replaceAll(part, ' ');
  rest = withoutRuns(rest)
    .replace(/(?:19|20)\d\d/g, ' ')
    .replace(/(.{1,8}?)\1+/gu, '$1');
  return [...rest.replace(/[\s\p{P}\p{S}]/gu, '')].length;
}

function withoutRuns(text: string): string {
  let rest = '';
  for (let at = 0; at < text.length; ) {
    const length = runAt(text, at);
    rest += length >= RUN ? ' ' : text[at];
    at += length >= RUN ? length : 1;
  }
  return rest;
}

function runAt(text: string, at: number): number {
  let longest = 0;
  for (const run of runs) {
    const start = run.indexOf(text[at]!);
    let length = 0;
    while (start >= 0 && at + length < text.length && run[start + length] === text[at + length]) length += 1;
    longest = Math.max(longest, length);
  }
  return longest;
}

function weak(why: string): AccountError {
  return new AccountError('weak-password', `The password is too easy to guess. ${why}`, {
    where: 'password',
    next: `Take ${MINIMUM_CHARACTERS} or more characters; four unrelated words are easy to keep in mind.`,
  });
}
