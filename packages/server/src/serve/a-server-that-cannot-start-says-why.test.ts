/** Wrong settings, taken places and damaged data: the start ends with a message that helps, and what was there is unharmed. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { endPostgres, newHome, runProgram, ServerProcess } from './server-process.suite.js';

// Whole servers on machines that are busy with other tests.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 600_000 });

const SECRET = 'hunter2-very-secret';
const homes: string[] = [];
const servers: ServerProcess[] = [];

async function home(): Promise<string> {
  const path = await newHome();
  homes.push(path);
  return path;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
afterAll(async () => {
  for (const path of homes) {
    await endPostgres(path);
    await rm(path, { recursive: true, force: true });
  }
});

/** `serve` that must not come up: its message, and that it says nothing that only a defect says. */
async function refusal(place: string, args: readonly string[] = [], environment: Record<string, string> = {}) {
  const { code, output } = await runProgram(['serve', '--port', '0', ...args], {
    ISOCENTER_HOME: place,
    ...environment,
  });
  expect(code, output).toBeGreaterThan(0);
  expect(output).not.toMatch(/ready after|A defect of Isocenter|\n\s+at /);
  expect(output).toContain('Next: ');
  return output;
}

async function started(options: Parameters<typeof ServerProcess.start>[0]): Promise<ServerProcess> {
  const server = await ServerProcess.start(options);
  servers.push(server);
  return server;
}

/** Every file of the database by name and hash, but its log. */
async function fingerprint(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const lines: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    lines.push(
      `${path} ${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}`,
    );
  }
  return lines.sort().join('\n');
}

describe('a server beyond this machine', () => {
  it('is refused without accounts, and comes up when the administrator was made as a browser does it', async () => {
    const place = await home();
    const output = await refusal(place, ['--host', '0.0.0.0']);
    expect(output).toMatch(/account/i);
    expect(output).toContain('no-accounts');

    const near = await started({ home: place });
    const link = await near.setupLink();
    const page = await fetch(link);
    expect(page.status).toBe(200);
    const html = await page.text();
    const token = link.searchParams.get('token') ?? '';
    expect(html).toContain('<form');
    const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1] ?? '';
    const made = await fetch(new URL(action, near.url), {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: near.url },
      body: new URLSearchParams({ token, name: 'ada', password: 'the first administrator of all' }),
    });
    expect(made.status).toBe(303);
    const cookie = made.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=/);
    const after = await fetch(new URL(made.headers.get('location') ?? '', near.url), {
      headers: { cookie: cookie.split(';', 1)[0], accept: 'text/html' },
    });
    expect(after.status).toBe(200);
    const me = await fetch(`${near.url}/isocenter/v1/me`, { headers: { cookie: cookie.split(';', 1)[0] } });
    expect(await me.json()).toMatchObject({ name: 'ada', role: 'administrator' });
    // The link was for one use.
    expect((await fetch(link)).status).toBe(410);
    await near.stop();

    const far = await started({ home: place, arguments: ['--host', '0.0.0.0'] });
    expect(far.output).not.toContain('/setup?token=');
    expect((await fetch(`http://127.0.0.1:${far.port}/health/ready`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${far.port}/isocenter/v1/jobs`)).status).toBe(401);
  });

  it('locks who guesses, and answers others while a thousand guesses come', async () => {
    const server = await started({});
    const token = (await server.setupLink()).searchParams.get('token') ?? '';
    await server.client().invites.accept({ token, name: 'ada', password: 'the first administrator of all' });
    const guess = async (n: number) => {
      const answer = await fetch(`${server.url}/auth/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: n % 2 ? 'ada' : `nobody${n}`, password: `guess ${n}` }),
      });
      const text = await answer.text();
      expect(text).not.toContain(`guess ${n}`);
      return answer;
    };
    const health: number[] = [];
    let over = false;
    const watching = (async () => {
      while (!over) health.push((await fetch(`${server.url}/health/ready`)).status);
    })();
    // As many at once as a client opens connections in time on a busy machine; the flood is in their number.
    const answers: Response[] = [];
    for (let n = 0; n < 1_000; n += 50)
      answers.push(...(await Promise.all(Array.from({ length: 50 }, (_, m) => guess(n + m)))));
    over = true;
    await watching;
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => ![401, 429, 503].includes(status))).toEqual([]);
    expect(statuses.has(429)).toBe(true);
    expect(Number(answers.find(({ status }) => status === 429)?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(health.length).toBeGreaterThan(0);
    expect(health.every((status) => status === 200)).toBe(true);
    expect(server.output).not.toMatch(/guess \d/);
  });
});

describe('settings', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['that nobody knows', { ISOCENTER_WROKERS: '2' }, /ISOCENTER_WROKERS/],
    ['of a wrong form', { ISOCENTER_WORKERS: 'many' }, /ISOCENTER_WORKERS/],
    [
      'of a provider without its fields',
      { ISOCENTER_OIDC: JSON.stringify({ issuer: 'x', clientSecret: SECRET }) },
      /oidc/,
    ],
    [
      'of a provider that is no address',
      { ISOCENTER_OIDC: JSON.stringify({ issuer: 'nonsense', clientId: 'a', clientSecret: SECRET, roles: {} }) },
      /issuer/,
    ],
    [
      'of a provider without encryption',
      {
        ISOCENTER_OIDC: JSON.stringify({
          issuer: 'http://idp.example',
          clientId: 'a',
          clientSecret: SECRET,
          roles: { staff: 'clinician' },
        }),
      },
      /https|issuer/,
    ],
    ['of a proxy that is no network', { ISOCENTER_TRUSTED_PROXIES: '["everybody"]' }, /trustedProxies/],
    ['of a proxy that is nearly a network', { ISOCENTER_TRUSTED_PROXIES: '["1.2.3.4/99"]' }, /1\.2\.3\.4\/99|network/],
    ['of a blob store that is no address', { ISOCENTER_BLOB_STORE: 'ftp://somewhere' }, /blob/i],
    ['of a host that is not of this machine', { ISOCENTER_HOST: '127.0.0.1.example.invalid' }, /host|address/i],
  ])('%s are named, and secrets are not printed', async (_title, environment, pattern) => {
    const output = await refusal(await home(), [], environment);
    expect(output).toMatch(pattern);
    expect(output).not.toContain(SECRET);
  });

  it.each<[string, string]>([
    ['is no JSON', '{"port": 80'],
    ['is a list', '[]'],
    ['has an unknown key', '{"prot": 80}'],
    ['has a key of every object', '{"__proto__": {"port": 80}, "constructor": 1}'],
    ['has a wrong value', '{"workers": "eighty"}'],
  ])('a configuration file that %s is refused', async (_title, text) => {
    const place = await home();
    await writeFile(join(place, 'config.json'), text);
    expect(await refusal(place)).toContain('config.json');
    expect(await readFile(join(place, 'config.json'), 'utf8')).toBe(text);
  });
});

describe('a database of one’s own', () => {
  it.each([
    ['that is not there', `postgresql://isocenter:${SECRET}@127.0.0.1:1/isocenter`],
    ['on a host that has no address', `postgresql://isocenter:${SECRET}@nothing.invalid/isocenter`],
    ['of another kind', `mysql://isocenter:${SECRET}@127.0.0.1/isocenter`],
    ['that is no address', `${SECRET}`],
    ['with a socket that is not there', `postgresql://isocenter:${SECRET}@localhost/x?host=/nowhere`],
  ])('%s is a clear message without the password', async (_title, url) => {
    const output = await refusal(await home(), [], { DATABASE_URL: url });
    expect(output).not.toContain(SECRET);
    expect(output).toMatch(/database|PostgreSQL/i);
  });

  it('that refuses us is a clear message without the password', async () => {
    const server = await started({});
    const pid = server.processes.find(({ command }) => command.includes('/bin/postgres -D'))?.pid;
    expect(pid).toBeGreaterThan(0);
    const url = `postgresql://isocenter:${SECRET}@localhost/isocenter?host=${encodeURIComponent(join(server.home, 'postgres/run'))}`;
    const output = await refusal(await home(), [], { DATABASE_URL: url });
    expect(output).not.toContain(SECRET);
    expect(output).toMatch(/password|refuse/i);
  });
});

describe('places', () => {
  it('a port that is taken is named', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;
    const output = await refusal(await home(), ['--port', String(port)]);
    expect(output).toContain('port-taken');
    expect(output).toContain(String(port));
    await new Promise((done) => other.close(done));
  });

  it('a second server on the same data directory is refused, and the first does not notice', async () => {
    const first = await started({});
    const output = await refusal(first.home);
    expect(output).toContain('in-use');
    expect(await first.ready()).toBe(true);
    expect(JSON.parse(await readFile(join(first.home, 'run/server.json'), 'utf8')).pid).toBe(first.pid);
    expect((await first.client().models.list({})).items.length).toBeGreaterThan(0);
  });

  it('a data directory that is a file, or below one, or on a file system for reading only is refused', async () => {
    const place = await home();
    const file = join(place, 'file');
    await writeFile(file, 'mine');
    for (const path of [file, join(file, 'below'), '/proc/isocenter']) await refusal(path);
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  it.skipIf(process.getuid?.() === 0)('a data directory that may not be written is refused', async () => {
    const place = await home();
    await chmod(place, 0o500);
    await refusal(place);
    await chmod(place, 0o700);
  });
});

describe('a damaged database', () => {
  it.each<[string, (data: string) => Promise<void>]>([
    ['PG_VERSION with another byte', (data) => writeFile(join(data, 'PG_VERSION'), '88\n')],
    ['PG_VERSION that is empty', (data) => writeFile(join(data, 'PG_VERSION'), '')],
    ['PG_VERSION that is gone', (data) => rm(join(data, 'PG_VERSION'))],
    [
      'pg_control with another byte',
      async (data) => {
        const path = join(data, 'global/pg_control');
        const bytes = await readFile(path);
        bytes[100] ^= 0xff;
        await writeFile(path, bytes);
      },
    ],
    ['the folder of its log gone', (data) => rm(join(data, 'pg_wal'), { recursive: true })],
    [
      'everything gone but the folder',
      async (data) => {
        await rm(data, { recursive: true });
        await mkdir(data);
      },
    ],
  ])('%s: refused with a message, nothing is destroyed', async (_title, harm) => {
    const place = await home();
    const server = await started({ home: place });
    await server.stop();
    const data = join(place, 'postgres/data');
    await harm(data);
    const before = await fingerprint(data);
    const output = await refusal(place);
    expect(output).toMatch(/database/i);
    // Again, so that the first refusal left nothing that the second trusts.
    await refusal(place);
    expect(await fingerprint(data)).toBe(before);
    expect(output).not.toContain(SECRET);
  });
});
