/** Names that people sign in with: what is allowed, and when two of them are the same (Unicode TR15 NFKC, full case folding). */
import { AccountError } from './account-error.js';

const MAXIMUM_CHARACTERS = 64;
/** Letters and digits of any script, and what appears in names and mail addresses. Nothing invisible. */
const ALLOWED = /^[\p{L}\p{M}\p{N} .,_@+'’-]+$/u;

/** The name as it is shown. Throws AccountError `bad-name`. */
export function userName(typed: string): string {
  const name = typed.normalize('NFKC').trim().replace(/ +/g, ' ');
  if (name.length > 0 && name.length <= MAXIMUM_CHARACTERS && ALLOWED.test(name)) return name;
  throw new AccountError('bad-name', 'This cannot be the name of an account', {
    where: 'name',
    next: `Use 1 to ${MAXIMUM_CHARACTERS} letters, digits, spaces and . , _ @ + ' -`,
  });
}

/** Equal for names that people take for the same: JOSÉ, José, ｊｏｓé. Upper case first, so that ß and SS meet. */
export function nameKey(typed: string): string {
  const name = typed.normalize('NFKC').trim().replace(/ +/g, ' ');
  return name.toUpperCase().toLowerCase().normalize('NFKC');
}
