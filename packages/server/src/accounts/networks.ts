/**
 * Which addresses are near enough: for protocols that have no login, for the local owner's token, and for the rule that
 * a server without accounts stays on its own machine (CVE-2025-0896 was a server that did not).
 */
import { BlockList, isIP } from 'node:net';
import { AccountError } from './account-error.js';

export const LOOPBACK: readonly string[] = Object.freeze(['127.0.0.0/8', '::1']);

const MAPPED_BITS = 96;

/** The address as it is compared: no zone (`%eth0`), no brackets, IPv4 in IPv6 as IPv4. Undefined: not an address. */
export function plainAddress(address: string): string | undefined {
  const bare = address.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  const family = isIP(bare);
  if (family === 0) return undefined;
  if (family === 4) return bare;
  // The parser of URL writes every IPv6 address in one shortest form; a dotted tail becomes two hexadecimal groups.
  const shortest = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(shortest);
  if (!mapped) return shortest;
  const [high, low] = [Number.parseInt(mapped[1]!, 16), Number.parseInt(mapped[2]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * A matcher for a list of addresses and CIDR blocks, IPv4 and IPv6; IPv4 addresses written as IPv6 match IPv4 blocks.
 * What is not an address matches nothing. Throws AccountError `bad-network` for an entry that is neither.
 */
export function allowedNetworks(list: readonly string[] = LOOPBACK): (address: string) => boolean {
  // Two lists, because one would take an IPv4 address for the IPv6 address that it maps to: ::/0 would let all of IPv4 in.
  const blocks = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const entry of list) addBlock(blocks, entry);
  return (address) => {
    const plain = plainAddress(address);
    if (plain === undefined) return false;
    const family = familyOf(plain);
    return blocks[family].check(plain, family);
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

function addBlock(blocks: Readonly<Record<'ipv4' | 'ipv6', BlockList>>, entry: string): void {
  const [written, bitsText, ...rest] = entry.trim().split('/');
  const address = written === undefined || /[%[\]]/.test(written) ? undefined : plainAddress(written);
  const wasMapped = address !== undefined && isIP(address) === 4 && isIP(written!) === 6;
  const widest = address === undefined ? 0 : isIP(address) === 4 ? 32 : 128;
  let bits = bitsText === undefined ? widest : /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : Number.NaN;
  if (wasMapped && bitsText !== undefined) bits -= MAPPED_BITS;
  if (address === undefined || rest.length > 0 || !(bits >= 0 && bits <= widest)) {
    throw new AccountError('bad-network', 'An allowed network is not an address and not a CIDR block', {
      where: JSON.stringify(entry.slice(0, 60)),
      next: 'Write it like 10.20.0.0/16, 192.168.1.7, 2001:db8::/32 or ::1.',
    });
  }
  const family = familyOf(address);
  blocks[family].addSubnet(address, bits, family);
}

const onLoopback = allowedNetworks(LOOPBACK);

/** Whether a peer's address, or a host to listen on, is this machine itself. */
export function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || onLoopback(host);
}

/**
 * Throws AccountError `no-accounts` when a server that nobody can sign in to would be reachable from elsewhere.
 * `host` is what it will listen on; `0.0.0.0`, `::`, '' and names other than localhost count as elsewhere.
 */
export function mayListen({ host, hasAccounts }: { readonly host: string; readonly hasAccounts: boolean }): void {
  if (hasAccounts || isLoopback(host)) return;
  throw new AccountError('no-accounts', 'Refusing to listen beyond this machine while there is no administrator', {
    where: host === '' ? 'all addresses' : host,
    next: 'Start once without --host, open the one-time link that is printed, make the first administrator, then start again.',
  });
}

/** What counts as one place for limits: an IPv4 address, or an IPv6 network of 64 bits, since one customer owns all of it. */
export function limitedPlace(address: string): string {
  const plain = plainAddress(address);
  if (plain === undefined) return 'unknown';
  if (isIP(plain) === 4) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const tailGroups = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - groups.length - tailGroups.length)).fill('0');
  return `${[...groups, ...zeros, ...tailGroups].slice(0, 4).join(':')}::/64`;
}
