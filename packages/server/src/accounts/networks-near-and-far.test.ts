/** Who counts as near: protocols without login, the local owner's token and the first start depend on it. */
import { describe, expect, it } from 'vitest';
import { allowedNetworks, isLoopback, limitedPlace, mayListen } from './networks.js';

describe('allowed networks', () => {
  it('are this machine unless somebody says otherwise', () => {
    const near = allowedNetworks();
    for (const yes of [
      '127.0.0.1',
      '127.255.0.3',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '0:0:0:0:0:0:0:1',
      '[::1]',
    ]) {
      expect(near(yes), yes).toBe(true);
    }
    for (const no of [
      '128.0.0.1',
      '::2',
      '::',
      '0.0.0.0',
      '::ffff:128.0.0.1',
      '10.0.0.1',
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '2130706433',
    ]) {
      expect(near(no), no).toBe(false);
    }
  });

  it.each([
    ['10.20.0.0/16', ['10.20.0.0', '10.20.255.255', '::ffff:10.20.3.4'], ['10.19.255.255', '10.21.0.0', '::10.20.3.4']],
    ['192.168.1.7', ['192.168.1.7'], ['192.168.1.6', '192.168.1.8']],
    ['192.168.1.7/31', ['192.168.1.6', '192.168.1.7'], ['192.168.1.8']],
    ['2001:db8::/32', ['2001:db8::', '2001:DB8:ffff::1', '2001:db8::1%eth0'], ['2001:db9::', '10.0.0.1']],
    ['fe80::/10', ['fe80::1%eth0', 'febf::1'], ['fec0::1']],
    ['::ffff:10.0.0.0/104', ['10.1.2.3', '::ffff:10.1.2.3'], ['11.0.0.0']],
    ['::ffff:10.0.0.7', ['10.0.0.7'], ['10.0.0.8']],
    ['0.0.0.0/0', ['1.2.3.4', '::ffff:1.2.3.4'], ['2001:db8::1']],
    ['::/0', ['2001:db8::1', '::1'], ['1.2.3.4', '::ffff:1.2.3.4']],
  ] as const)('%s has its addresses and no others', (network, inside, outside) => {
    const near = allowedNetworks([network]);
    for (const address of inside) expect(near(address), address).toBe(true);
    for (const address of outside) expect(near(address), address).toBe(false);
  });

  it('may be several, or none', () => {
    const near = allowedNetworks(['10.0.0.0/8', ' ::1 ']);
    expect([near('10.9.9.9'), near('::1'), near('127.0.0.1')]).toEqual([true, true, false]);
    expect(allowedNetworks([])('127.0.0.1')).toBe(false);
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0/8',
    '10.0.0.0/8/8',
    '::/129',
    '::ffff:10.0.0.0/95',
    'localhost',
    '10.0.0.0/255.0.0.0',
    '',
    '*',
    '::1%lo',
    '10.0.0.0/8x',
    '010.0.0.1',
  ])('refuse %j', (network) => {
    expect(() => allowedNetworks([network])).toThrow(expect.objectContaining({ kind: 'bad-network' }));
  });
});

describe('listening', () => {
  it.each(['127.0.0.1', '::1', 'localhost', 'LOCALHOST', '127.0.0.2'])('on %s needs no account', (host) => {
    expect(() => mayListen({ host, hasAccounts: false })).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '', '192.168.1.7', 'server.hospital.example', '::ffff:0.0.0.0', 'localhost.example'])(
    'on %j is refused until somebody can sign in',
    (host) => {
      expect(() => mayListen({ host, hasAccounts: false })).toThrow(expect.objectContaining({ kind: 'no-accounts' }));
      expect(() => mayListen({ host, hasAccounts: true })).not.toThrow();
    },
  );

  it('knows loopback by address, not by how it begins', () => {
    expect([isLoopback('127.0.0.1.evil.example'), isLoopback('::1.example'), isLoopback('::ffff:127.0.0.1')]).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('the place that limits count', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['not an address', 'unknown'],
  ])('of %s is %s', (address, place) => {
    expect(limitedPlace(address)).toBe(place);
  });
});
