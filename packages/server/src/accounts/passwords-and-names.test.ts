/** Which passwords are refused, and which names are the same. */
import { describe, expect, it } from 'vitest';
import { checkPassword } from './password-policy.js';
import { nameKey, userName } from './user-name.js';

const check =
  (password: string, name = 'Ada Lovelace') =>
  () =>
    checkPassword(password, name);

describe('a password', () => {
  it.each([
    'four unrelated words: kelp ruler frost',
    'kelp ruler frost',
    'CorrectHorseBatteryStaple',
    'x7#Kq9!mZ2$vL4',
    'Grüße an alle Röntgengeräte',
    '静かな湖畔の森の影から朝が',
    'ein Fahrrad im Regen',
    '7f3a9c1e5b2d',
    '            kelp ruler',
  ])('%s is good', (password) => {
    expect(check(password)).not.toThrow();
  });

  it.each([
    'short',
    'elevenchars',
    'password1234',
    'Password1234!',
    'P@ssw0rd2026!',
    'passwordpassword',
    'qwertyuiop123',
    'qwertzuiopqwertz',
    '123456789012',
    '098765432109',
    'aaaaaaaaaaaaaaaa',
    'abababababababab',
    'abcabcabcabcabc',
    'Administrator1',
    'administrator2026',
    'Isocenter2026!',
    'hospital-hospital',
    'Radiology12345',
    'letmeinletmein1',
    'AdaLovelace123',
    'lovelace-lovelace',
    'Ada Lovelace!!!',
    'iloveyou12345!',
    'ChangeMe!ChangeMe!',
    'Summer2026Summer',
    'x'.repeat(2000),
  ])('%s is refused', (password) => {
    expect(check(password)).toThrow(expect.objectContaining({ kind: 'weak-password' }));
    try {
      checkPassword(password, 'Ada Lovelace');
    } catch (error) {
      expect(JSON.stringify(error) + String(error)).not.toContain(password);
    }
  });

  it('that is hostile to the check takes no time', () => {
    const started = performance.now();
    for (const part of ['aaaaaaab', 'abababac', '1234', 'passw']) check(part.repeat(128));
    try {
      checkPassword(`${'ab'.repeat(500)}c`, 'Ada');
    } catch {
      // Refused or not: only the time matters.
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('a name', () => {
  it.each([
    ['ADA', 'ada'],
    ['Straße', 'STRASSE'],
    ['ｊｏｓé', 'JOSE\u0301'],
    ['  Ada   Lovelace ', 'ada lovelace'],
    ['λόγος', 'ΛΌΓΟΣ'],
  ])('%s is the same as %s', (a, b) => {
    expect(nameKey(a)).toBe(nameKey(b));
  });

  it('of other letters is another', () => {
    expect(nameKey('ada')).not.toBe(nameKey('adá'));
  });

  it.each(['', '   ', 'a\0b', 'a\u202Eb', 'a\u200Bb', 'a\nb', '<script>', 'a/b', 'x'.repeat(65), '\u{1F3E5}'])(
    '%j is refused',
    (name) => {
      expect(() => userName(name)).toThrow(expect.objectContaining({ kind: 'bad-name' }));
    },
  );

  it('is shown as it was typed, in one form', () => {
    expect(userName(' Jose\u0301  O’Neil-2 ')).toBe('José O’Neil-2');
  });
});
