import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeConfiguration } from './describe-configuration.js';
import { readConfiguration } from './read-configuration.js';

const home = mkdtempSync(join(tmpdir(), 'isocenter-configuration-'));
afterAll(() => rmSync(home, { recursive: true }));
const withHome = (more: Record<string, string> = {}) => ({ ISOCENTER_HOME: home, ...more });

describe('configuration', () => {
  it('has a default for everything', () => {
    const { values, origins } = readConfiguration({ environment: withHome() });
    expect(values).toMatchObject({ home, host: '127.0.0.1', port: 8042, workers: 1 });
    expect(origins).toMatchObject({ home: 'environment', port: 'default' });
  });

  it('takes flags before environment before file', () => {
    writeFileSync(join(home, 'config.json'), JSON.stringify({ port: 1, workers: 7, idleMinutes: 3 }));
    const environment = withHome({ ISOCENTER_PORT: '2', ISOCENTER_WORKERS: '5' });
    const { values, origins } = readConfiguration({ environment, flags: { port: '3' } });
    expect(values).toMatchObject({ port: 3, workers: 5, idleMinutes: 3 });
    expect(origins).toMatchObject({ port: 'flag', workers: 'environment', idleMinutes: 'file' });
  });

  it('reads lists with commas and as JSON', () => {
    const read = (text: string) =>
      readConfiguration({ environment: withHome({ ISOCENTER_PROTOCOL_NETWORKS: text }) }).values.protocolNetworks;
    expect(read('10.0.0.0/8, fe80::/10')).toEqual(['10.0.0.0/8', 'fe80::/10']);
    expect(read('["10.0.0.0/8"]')).toEqual(['10.0.0.0/8']);
    expect(read('10.1.2.3')).toEqual(['10.1.2.3']);
  });

  it.each([
    [{ ISOCENTER_PORT: 'eighty' }, /"port" is not valid/],
    [{ ISOCENTER_PORT: '65536' }, /"port" is not valid/],
    [{ ISOCENTER_PROT: '1' }, /ISOCENTER_PROT sets nothing/],
    [{ ISOCENTER_LOG_LEVEL: 'loud' }, /"logLevel" is not valid/],
  ])('refuses %j by name', (environment, message) => {
    expect(() => readConfiguration({ environment: withHome(environment) })).toThrow(message);
  });

  it('refuses unknown settings and broken files with their place', () => {
    const file = join(home, 'other.json');
    writeFileSync(file, '{"prot": 1}');
    expect(() => readConfiguration({ environment: withHome(), file })).toThrow(/no setting "prot"/);
    writeFileSync(file, '[1]');
    expect(() => readConfiguration({ environment: withHome(), file })).toThrow(/not an object/);
    writeFileSync(file, '{');
    expect(() => readConfiguration({ environment: withHome(), file })).toThrow(/not JSON/);
    expect(() => readConfiguration({ environment: withHome(), file: join(home, 'none.json') })).toThrow(
      /cannot be read/,
    );
  });

  it('does not quote a broken file, in which a password may stand', () => {
    const file = join(home, 'broken.json');
    writeFileSync(file, '{"databaseUrl": postgres://me:hunter2@db/x}');
    const read = () => readConfiguration({ environment: withHome(), file });
    expect(read).toThrow(/not JSON/);
    try {
      read();
    } catch (error) {
      const { message, cause } = error as Error;
      expect(`${message} ${String(cause)}`).not.toMatch(/hunter2|postgres/);
    }
  });

  it('never shows secrets', () => {
    const url = 'postgres://me:hunter2@db/x';
    const text = JSON.stringify(
      describeConfiguration(readConfiguration({ environment: withHome({ DATABASE_URL: url }) })),
    );
    expect(text).not.toContain('hunter2');
    expect(text).toContain('(set)');
  });
});
