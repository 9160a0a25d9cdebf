/** From what the provider says about a person to what they may do here. No match is no access. */
import { type Role, roles } from '@isocenter/client';

export type Claims = Readonly<Record<string, unknown>>;

/** Undefined: the claim is not there at all. Claim names may hold dots (URLs do), so the whole name goes before the path. */
export function claimValues(claims: Claims, claim: string): readonly string[] | undefined {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : claim.split('.').reduce(step, claims as unknown);
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? value : [value];
  return list.filter((item) => typeof item === 'string');
}

/** The strongest of the roles that the values mean: `roles` of @isocenter/client lists them from the strongest on. */
export function roleOf(values: readonly string[], mapping: Readonly<Record<string, Role>>): Role | undefined {
  const meant = values.flatMap((value) => (Object.hasOwn(mapping, value) ? [mapping[value]] : []));
  return roles.find((role) => meant.includes(role));
}

const MAXIMUM_NAME = 64;

/** For people to read; nobody is recognised by it. The host tells apart two people whom their providers call the same. */
export function shownName(claims: Claims, issuer: string): string {
  const given = [claims.preferred_username, claims.name, claims.email].find(
    (value) => typeof value === 'string' && value !== '',
  );
  const plain =
    typeof given === 'string'
      ? given
          .normalize('NFKC')
          .replace(/[^\p{L}\p{M}\p{N} .,_@+'’-]/gu, '')
          .trim()
      : '';
  return `${plain.slice(0, MAXIMUM_NAME) || 'Somebody'} (${new URL(issuer).host})`;
}

function step(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Claims)[name]
    : undefined;
}
