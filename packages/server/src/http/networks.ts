/** Sets of addresses, written as addresses or CIDR blocks; 'loopback' stands for 127.0.0.0/8 and ::1. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { HttpError } from './http-error.js';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** `::ffff:10.0.0.1` is how a dual-stack socket names an IPv4 peer. */
export function plainAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

export class Networks {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** Throws HttpError `bad-address` for what is neither an address nor a block. */
  constructor(blocks: readonly string[]) {
    this.#empty = blocks.length === 0;
    for (const block of blocks) this.#add(block);
  }

  has(address: string): boolean {
    if (this.#empty) return false;
    const plain = plainAddress(address);
    if (isIP(plain) === 0) return false;
    return this.#list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }

  #add(block: string): void {
    if (block === 'loopback') {
      this.#add('127.0.0.0/8');
      this.#add('::1');
      return;
    }
    const [address = '', length, ...rest] = block.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const bits = family === 'ipv6' ? 128 : 32;
    const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
    if (isIP(address) === 0 || rest.length > 0 || !(prefix >= 0 && prefix <= bits))
      throw new HttpError('bad-address', 'A network is neither an address nor a CIDR block', {
        where: block,
        next: 'Write it like 10.1.0.0/16, 192.168.1.20, fd00::/8 or loopback.',
      });
    this.#list.addSubnet(address, prefix, family);
  }
}

export const LOOPBACK = new Networks(['loopback']);
