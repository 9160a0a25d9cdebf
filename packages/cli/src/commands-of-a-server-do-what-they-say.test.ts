/** Every command about servers, as a process of its own against one real `isocenter serve`: exit status and what it prints. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { writeZip } from '@isocenter/formats';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeWithPrograms, repositoryRoot } from '../../../tools/test/needs.js';
import { exitCodes } from './exit-codes.js';
import { childrenOf, eventually, type Ran, spawnCli, Workplace } from './run-cli.suite.js';
import { type Serving, serve } from './serving.suite.js';

// Some cases start many processes one after the other, which takes minutes when others use the machine.
vi.setConfig({ testTimeout: 300_000 });

const place = new Workplace();
const home = place.path('home');
const study = place.path('study.zip');
let server: Serving;

beforeAll(async () => {
  // PostgreSQL's account must be able to walk there when we are root.
  chmodSync(place.root, 0o711);
  for (const name of Object.keys(process.env)) if (/^ISOCENTER_|^DATABASE_URL$/.test(name)) delete process.env[name];
  process.env.ISOCENTER_HOME = home;
  // Images of a failed job stay, so that it can be retried.
  server = await serve(['--port', '0', '--set', 'keepFailedInputsMinutes=5']);
  const made = await spawnCli([
    ...['phantom', '--out', study, '--columns', '64', '--rows', '64', '--slices', '12'],
    ...['--spacing', '7.2,7.2,24'],
  ]);
  expect(made.status, made.all).toBe(0);
}, 120_000);

afterAll(async () => {
  await server?.stop();
  place.remove();
}, 60_000);

/** Runs to the end; the status that is meant is 0 unless said. */
async function ok(...args: string[]): Promise<string> {
  const ran = await spawnCli(args);
  expect(ran.status, `${args.join(' ')}\n${ran.all}`).toBe(exitCodes.ok);
  return ran.stdout;
}

async function refused(status: number, ...args: string[]): Promise<string> {
  const ran: Ran = await spawnCli(args);
  expect(ran.status, `${args.join(' ')}\n${ran.all}`).toBe(status);
  expect(ran.stderr).not.toContain('defect');
  return ran.stderr;
}

const json = async (...args: string[]) => JSON.parse(await ok(...args, '--json'));
const submit = (out: string, ...more: string[]) => ['submit', study, '--model', 'ct-basic', '--out', out, ...more];

describe('submit and jobs', () => {
  test('a study becomes contours in a folder, which a second time is refused before anything is sent', async () => {
    const out = place.path('result');
    expect(await ok(...submit(out))).toMatch(/Lung_L +\d+ .* exact/);
    expect(readdirSync(out)).toContain('segmentation.rtstruct.dcm');
    const before = (await json('jobs', 'list')).jobs.length;
    expect(await refused(exitCodes.output, ...submit(out))).toContain('--force');
    expect((await json('jobs', 'list')).jobs).toHaveLength(before);
    await ok(...submit(out, '--force', '--format', 'csv'));
  });

  test('without --out the job is named, and its files can be fetched later', async () => {
    const { job } = await json('submit', study, '--model', 'ct-basic', '--format', 'rtstruct');
    expect(await ok('jobs', 'list', '--state', 'succeeded')).toContain(job.id);
    expect(await ok('jobs', 'show', job.id)).toContain('segmentation.rtstruct.dcm');
    await ok('jobs', 'fetch', job.id, '--out', place.path('later'));
    expect(readdirSync(place.path('later'))).toContain('segmentation.rtstruct.dcm');
    expect(await refused(exitCodes.output, 'jobs', 'fetch', job.id, '--out', place.path('later'))).toContain('--force');
    expect(await refused(exitCodes.server, 'jobs', 'cancel', job.id)).toContain('already ended');
    expect(await refused(exitCodes.server, 'jobs', 'retry', job.id)).toContain('Only a job that failed');
  });

  test('a folder is sent without its file names', async () => {
    mkdirSync(place.path('folder'));
    const { openSources } = await import('@isocenter/formats');
    const { sources, close } = await openSources(study);
    for (const [at, source] of sources.filter(({ name }) => name.includes('images/')).entries())
      writeFileSync(place.path('folder', `DOE^JOHN-${at}.dcm`), await source.read());
    await close();
    await ok('submit', place.path('folder'), '--model', 'ct-basic', '--format', 'csv');
    expect(server.output()).not.toContain('DOE');
  });

  test('what holds no images fails as such, leaves no folder, and can be retried while it is kept', async () => {
    writeFileSync(
      place.path('text.zip'),
      await writeZip([{ name: 'note.txt', bytes: new TextEncoder().encode('hello\n') }]),
    );
    const out = place.path('none');
    const said = await refused(exitCodes.input, 'submit', place.path('text.zip'), '--model', 'ct-basic', '--out', out);
    expect(said).toContain('no images');
    expect(said).toContain('Next: Give DICOM images');
    expect(readdirSync(place.root)).not.toContain('none');
    const id = /job ([0-9a-f-]{36})/.exec(said)?.[1] as string;
    expect(await ok('jobs', 'show', id)).toContain('failed');
    expect(await refused(exitCodes.server, 'jobs', 'fetch', id, '--out', out)).toContain('no files; it is failed');
    expect(await ok('jobs', 'retry', id)).toContain('queued');
  });

  test('Ctrl-C cancels the job on the server as well, and leaves nothing', async () => {
    const big = place.path('big.zip');
    await ok('phantom', '--out', big);
    const known = new Set((await json('jobs', 'list')).jobs.map(({ id }: { id: string }) => id));
    const out = place.path('interrupted');
    let id = '';
    const ran = await spawnCli(['submit', big, '--model', 'ct-basic', '--out', out], async (child) => {
      for (const end = Date.now() + 30_000; id === '' && Date.now() < end; ) {
        const { jobs } = await json('jobs', 'list', '--state', 'queued,running');
        id = jobs.find((job: { id: string }) => !known.has(job.id))?.id ?? '';
      }
      child.kill('SIGINT');
    });
    expect(id).not.toBe('');
    expect(ran.status, ran.all).toBe(exitCodes.cancelled);
    expect(readdirSync(place.root)).not.toContain('interrupted');
    expect((await json('jobs', 'show', id)).job.state).toBe('cancelled');
  });

  test('a slip of the hand is told with the way out', async () => {
    expect(await refused(exitCodes.server, 'submit', study, '--model', 'ct-basics')).toContain('isocenter models list');
    expect(await refused(exitCodes.server, 'submit', study, '--model', 'ct-basic', '--format', 'rtstuct')).toContain(
      'must be one of',
    );
    expect(await refused(exitCodes.input, 'submit', place.path('nothing.zip'), '--model', 'x')).toContain(
      'no such file',
    );
    expect(await refused(exitCodes.server, 'jobs', 'show', 'nothing')).toContain('isocenter jobs list');
    expect(await refused(exitCodes.usage, 'models', 'lst')).toContain('Did you mean list?');
  });
});

describe('models', () => {
  const onnx = `${repositoryRoot}/examples/onnx/smooth-bone.onnx`;

  test('one is added, shown, exported, retired, activated, warmed, evicted, removed and added again from its export', async () => {
    expect(await ok('models', 'list')).toMatch(/ct-basic:1\.0\.0 +active/);
    expect(await ok('models', 'add', onnx, '--form', onnx.replace('.onnx', '.json'))).toContain('1 structure,');
    expect(await ok('models', 'show', 'smooth-bone')).toContain('smooth-bone:1.0.0 (active)');
    await ok('models', 'warm', 'smooth-bone');
    await ok('models', 'evict', 'smooth-bone');
    await ok('models', 'retire', 'smooth-bone:1.0.0');
    expect(await ok('models', 'list')).toMatch(/smooth-bone:1\.0\.0 +retired/);
    await ok('models', 'activate', 'smooth-bone:1.0.0');
    await ok('models', 'export', 'smooth-bone', '--out', place.path('model.zip'));
    await ok('models', 'remove', 'smooth-bone:1.0.0');
    expect(await ok('models', 'add', place.path('model.zip'))).toContain('smooth-bone:1.0.0');
  });

  test('what is no model, and a form that is none, are refused with the reason', async () => {
    expect(await refused(exitCodes.server, 'models', 'add', onnx)).toContain('--form');
    expect(await refused(exitCodes.input, 'models', 'add', onnx, '--form', place.path('no.json'))).toContain('--form');
    expect(await refused(exitCodes.input, 'models', 'add', onnx, '--form', onnx)).toContain('not JSON');
    expect(await refused(exitCodes.server, 'models', 'remove', 'ct-basic')).toContain('Retire it');
  });
});

describe('people and keys', () => {
  test('a person is invited, changed in every way, and removed', async () => {
    const { link } = await json('users', 'invite', '--role', 'administrator', '--name', 'Ada');
    const accept = await fetch(`${server.url}/auth/accept-invite`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        token: new URL(link).searchParams.get('token'),
        name: 'Ada',
        password: 'marble otter sings quietly',
      }),
    });
    expect(accept.status).toBe(200);
    const second = await json('users', 'invite', '--role', 'clinician', '--name', 'Grace');
    await fetch(`${server.url}/auth/accept-invite`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        token: new URL(second.link).searchParams.get('token'),
        name: 'Grace',
        password: 'purple kettle under snow',
      }),
    });
    expect(await ok('users', 'list')).toMatch(/Grace +clinician +active/);
    expect(await ok('users', 'role', 'Grace', '--to', 'data-scientist')).toBe('Grace: data-scientist, active\n');
    expect(await ok('users', 'disable', 'grace')).toContain('disabled');
    expect(await ok('users', 'enable', 'Grace')).toContain('active');
    expect(await ok('users', 'unlock', 'Grace')).toContain('forgotten');
    expect(await ok('users', 'reset', 'Grace')).toContain('/setup?token=');
    expect(await ok('users', 'remove', 'Grace')).toContain('removed');
    expect(await refused(exitCodes.input, 'users', 'remove', 'Grace')).toContain('users list');
    expect(await refused(exitCodes.server, 'users', 'remove', 'Ada')).toContain('last administrator');
    expect(await refused(exitCodes.usage, 'users', 'invite')).toContain('--role');
  });

  test('a key works until it is revoked or has expired, and then says so', async () => {
    const { id, key } = await json('keys', 'create', '--name', 'gateway', '--role', 'data-scientist');
    const named = ['models', 'list', '--url', server.url, '--key'];
    await ok(...named, key);
    expect(await ok('keys', 'list')).toMatch(/gateway .* active/);
    await ok('keys', 'revoke', id);
    expect(await refused(exitCodes.server, ...named, key)).toContain('isocenter keys create');
    // About nine seconds: enough for the request that makes it, on a busy machine as well.
    const brief = await json('keys', 'create', '--name', 'brief', '--days', '0.0001');
    let last = await spawnCli([...named, brief.key]);
    for (const end = Date.now() + 60_000; last.status === exitCodes.ok && Date.now() < end; )
      last = await spawnCli([...named, brief.key]);
    expect(last.status, last.all).toBe(exitCodes.server);
    expect(last.stderr).toContain('isocenter keys create');
    expect(await refused(exitCodes.server, 'keys', 'create', '--name', 'x', '--scopes', 'nothing')).toContain('scopes');
  });

  test('the owner needs no key, also when the address is spelled out; anybody else does', async () => {
    await ok('models', 'list', '--url', server.url);
    expect(
      await refused(exitCodes.server, 'models', 'list', '--url', server.url, '--home', place.path('other')),
    ).toContain('ISOCENTER_KEY');
  });
});

describe('the server itself', () => {
  test('it tests itself, and prints its settings', async () => {
    expect(await ok('selftest')).toContain('self-test passed');
    expect(await ok('config')).toMatch(new RegExp(`home +${home} +environment`));
  });

  test('its audit log is whole, here and in an export, goes through an earlier anchor, and an edit is found', async () => {
    const anchor = place.path('anchor.json');
    writeFileSync(anchor, await ok('audit', 'verify'));
    await ok('audit', 'export', place.path('audit.ndjson'));
    await ok('audit', 'verify', place.path('audit.ndjson'), '--anchor', anchor);
    await ok('audit', 'verify', '--anchor', anchor);
    const text = readFileSync(place.path('audit.ndjson'), 'utf8');
    writeFileSync(place.path('edited.ndjson'), text.replace('"model.added"', '"model.addeD"'));
    expect((await spawnCli(['audit', 'verify', place.path('edited.ndjson')])).status).toBe(exitCodes.proof);
    expect(await refused(exitCodes.input, 'audit', 'verify', '--anchor', study)).toContain('no anchor');
    expect(await refused(exitCodes.input, 'audit', 'verify', '--anchor', place.path('none'))).toContain('--anchor');
  });

  test('a worker beside it takes jobs', async () => {
    let slots = '';
    const ran = await spawnCli(['worker', '--workers', '1'], async (child) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        slots += chunk.toString();
      });
      await eventually(() => (slots.includes('takes 1 at once') ? true : undefined));
      child.kill('SIGTERM');
    });
    expect(ran.status, ran.all).toBe(exitCodes.ok);
  });

  test('a backup of the running server is another server, with its results', async () => {
    const { job } = await json('submit', study, '--model', 'ct-basic', '--format', 'rtstruct');
    await ok('backup', place.path('backup.zip'));
    const copy = place.path('copy');
    expect(await ok('restore', place.path('backup.zip'), '--home', copy)).toContain('Restored the backup');
    const second = await serve(['--port', '0', '--home', copy]);
    try {
      await ok('jobs', 'fetch', job.id, '--out', place.path('restored'), '--home', copy);
      expect(readdirSync(place.path('restored'))).toContain('segmentation.rtstruct.dcm');
    } finally {
      await second.stop();
    }
    expect(await refused(exitCodes.server, 'restore', study, '--home', place.path('empty'))).toContain(
      'use another backup',
    );
  });

  test('addresses where no server is are told apart', async () => {
    const at = (url: string) => ['models', 'list', '--url', url, '--key', 'x'];
    const nobody = await new Promise<number>((done) => {
      const probe = createServer().listen(0, '127.0.0.1', () => {
        const { port } = probe.address() as { port: number };
        probe.close(() => done(port));
      });
    });
    expect(await refused(exitCodes.server, ...at(`http://127.0.0.1:${nobody}`))).toContain('that the server runs');
    expect(await refused(exitCodes.server, ...at(server.url.replace('http', 'https')))).toContain('try http://');
    expect(await refused(exitCodes.usage, ...at(server.url.slice('http://'.length)))).toContain('http://');
    expect(await refused(exitCodes.server, 'models', 'list', '--home', place.path('other'))).toContain(
      '`isocenter serve`',
    );
  });

  test('a second server is refused by the data directory and by the port', async () => {
    expect(await refused(exitCodes.server, 'serve', '--port', '0')).toContain('Another Isocenter server');
    const port = new URL(server.url).port;
    const said = await refused(exitCodes.server, 'serve', '--home', place.path('third'), '--port', port);
    expect(said).toContain(`Port ${port} is in use`);
    expect(await refused(exitCodes.usage, 'serve', '--set', 'idelMinutes=1')).toContain('isocenter config');
  });
});

const page = readFileSync(`${repositoryRoot}/docs/start/server.md`, 'utf8');

describeWithPrograms(['bash', 'curl'], 'the page "A server in five minutes"', () => {
  test('works as it is printed, but for the port and the program in the path', async () => {
    const lines = [...page.matchAll(/^ {4}(.*)$/gm)].map(([, line]) => line);
    expect(lines[0]).toBe('npm start');
    const script = lines
      .slice(1)
      .join('\n')
      .replaceAll('npx isocenter', 'isocenter')
      .replaceAll('http://127.0.0.1:8042', server.url)
      .replaceAll('examples/', `${repositoryRoot}/examples/`)
      .replace(
        'phantom --out study.zip',
        'phantom --out study.zip --columns 64 --rows 64 --slices 12 --spacing 7.2,7.2,24',
      );
    const desk = place.path('desk');
    mkdirSync(desk);
    const bin = `${repositoryRoot}/packages/cli/bin/isocenter.js`;
    const shell = spawn(
      'bash',
      ['-c', `set -euo pipefail\nisocenter() { "${process.execPath}" "${bin}" "$@"; }\n${script}`],
      { cwd: desk, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let said = '';
    for (const stream of [shell.stdout, shell.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    const status = await new Promise((done) => shell.on('close', done));
    expect(status, said).toBe(0);
    expect(said).toContain('event: end');
    expect(readdirSync(desk)).toEqual(expect.arrayContaining(['result', 'segmentation.rtstruct.dcm']));
  });
});

test('stopped in order it leaves no process behind', async () => {
  const children = childrenOf(server.pid);
  expect(await server.stop()).toBe(exitCodes.ok);
  expect(children.filter((pid) => readdirSync('/proc').includes(String(pid)))).toEqual([]);
});
