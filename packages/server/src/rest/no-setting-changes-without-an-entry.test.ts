/**
 * Settings over HTTP: whatever is changed stands in the audit log first, however long the value is, and the file, in which secrets may
 * stand beside it, stays closed to others.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfiguration } from '../configuration/read-configuration.js';
import { type RestServer, restServer } from './rest-server.suite.js';
import { SettingsFile } from './settings-file.js';

let server: RestServer;
beforeAll(async () => {
  server = await restServer({ slots: 0 });
});
afterAll(() => server.close());

it('a value that is longer than an entry is recorded with its beginning, its length and its hash', async () => {
  const client = server.client('administrator');
  const value = Array.from({ length: 500 }, (_, n) => `https://console-${n}.hospital.example`);
  await client.settings.change({ setting: 'corsOrigins', value, reason: 'many consoles' });
  const { items } = await client.audit.list({ action: 'setting.changed' });
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({
    reason: 'many consoles',
    details: { characters: JSON.stringify(value).length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  expect((await client.audit.verify({})).intact).toBe(true);
});

it('the file that holds secrets stays readable by its owner only', async () => {
  const file = join(server.folder, 'config.json');
  writeFileSync(file, JSON.stringify({ databaseUrl: 'postgres://me:hunter2@db/x' }));
  chmodSync(file, 0o600);
  await server.client('administrator').settings.change({ setting: 'studyMinutes', value: 30 });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    databaseUrl: 'postgres://me:hunter2@db/x',
    studyMinutes: 30,
  });
});

it('a change whose entry cannot be written is not made', async () => {
  const home = mkdtempSync(join(tmpdir(), 'isocenter-settings-'));
  try {
    const settings = new SettingsFile(readConfiguration({ environment: {}, flags: { home } }));
    const full = () => Promise.reject(new Error('the log takes nothing'));
    await expect(settings.change('studyMinutes', 30, full)).rejects.toThrow('the log takes nothing');
    expect(existsSync(join(home, 'config.json'))).toBe(false);
    await settings.change('studyMinutes', 30, async () => {});
    expect(existsSync(join(home, 'config.json'))).toBe(true);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
