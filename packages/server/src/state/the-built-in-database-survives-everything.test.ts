/** First start, restart, and every way to kill it: our data is there afterwards and our queries work again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clusterProcesses } from './embedded/cluster-processes.js';
import { locate } from './embedded/location.js';
import { unprivilegedUser } from './embedded/run-as.js';
import { joinState, openState, type State, type StateEvent } from './open-state.js';

const built = fileURLToPath(new URL('../../dist/state/open-state.js', import.meta.url));
const root = process.getuid?.() === 0;

/** Waits until `check` gives something, at most a minute: other tests may have the processors. */
async function until<T>(what: string, check: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(20)) {
    const value = await check();
    if (value) return value;
  }
  throw new Error(`in a minute it was not so: ${what}`);
}

async function processesOf(home: string) {
  return clusterProcesses(await locate(home, await unprivilegedUser()));
}

describe('the built-in database', () => {
  let home = '';
  const events: StateEvent[] = [];
  const open: State[] = [];
  const start = async () => {
    const state = await openState({ home, onEvent: (event) => events.push(event) });
    open.push(state);
    return state;
  };
  const note = (state: State, key: string) =>
    state.db.insertInto('setting').values({ key, value: '1', updated_by: 'test' }).execute();
  const keys = async (state: State) =>
    (await state.db.selectFrom('setting').select('key').orderBy('key').execute()).map(({ key }) => key);

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'isocenter-state-'));
    await chmod(home, 0o711);
  });
  afterEach(async () => {
    events.length = 0;
    await Promise.all(open.splice(0).map((state) => state.close()));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  it('is made on first start and found again on the next', async () => {
    const first = await start();
    expect(first.kind).toBe('embedded');
    await note(first, 'first');
    const { installationId } = first;
    await first.close();
    expect(await processesOf(home)).toEqual([]);

    const second = await start();
    expect(second.installationId).toBe(installationId);
    expect(await keys(second)).toEqual(['first']);
  });

  it('serves one server: a second one is refused, by the number of the first, and disturbs nothing', async () => {
    const first = await start();
    await expect(openState({ home })).rejects.toMatchObject({
      kind: 'in-use',
      message: expect.stringContaining(`process ${process.pid} `),
    });
    expect(await keys(first)).toEqual(['first']);
    expect(events).toEqual([]);
  });

  it('is durable and small', async () => {
    const { pool } = await start();
    const value = async (name: string) => (await pool.query('select current_setting($1) as v', [name])).rows[0].v;
    expect(await value('fsync')).toBe('on');
    expect(await value('synchronous_commit')).toBe('on');
    expect(await value('full_page_writes')).toBe('on');
    expect(await value('listen_addresses')).toBe('');
    expect(await value('data_checksums')).toBe('on');
    if (process.platform !== 'linux') return;
    let kilobytes = 0;
    for (const { pid } of await processesOf(home)) {
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
    }
    expect(kilobytes).toBeGreaterThan(5_000);
    expect(kilobytes).toBeLessThan(75_000);
  });

  it('stops soon although a client sits in a transaction', async () => {
    const state = await start();
    const other = new pg.Client({ connectionString: state.url });
    other.on('error', () => undefined);
    await other.connect();
    await other.query('begin');
    await other.query("insert into setting (key, value, updated_by) values ('open', '1', 'test')");
    const began = performance.now();
    await state.close();
    expect(performance.now() - began).toBeLessThan(9_000);
    expect(await processesOf(home)).toEqual([]);
    expect(await keys(await start())).toEqual(['first']);
  });

  it('gives us a role that is not its administrator', async () => {
    const { pool } = await start();
    const { rows } = await pool.query(
      'select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user',
    );
    expect(rows).toEqual([{ rolsuper: false, rolcreatedb: false, rolcreaterole: false }]);
    await expect(pool.query("copy setting to program 'true'")).rejects.toThrow(/permission denied/);
  });

  it('keeps its password and its files to itself', async () => {
    const state = await start();
    const password = new URL(state.url).password;
    expect(password).toHaveLength(32);
    for (const name of await readdir(home)) {
      const info = await stat(join(home, name));
      const isSecret = info.isDirectory() || (await readFile(join(home, name), 'utf8')).includes(password);
      if (isSecret) expect(info.mode & 0o077, name).toBe(0);
    }
    const wrong = new pg.Client({ connectionString: state.url.replace(password, 'x'.repeat(32)) });
    await expect(wrong.connect()).rejects.toThrow(/password authentication failed/);
  });

  it('writes no statement and no value into its log', async () => {
    const { pool } = await start();
    await expect(pool.query("select 'PLANTED^NAME'::uuid")).rejects.toThrow();
    await note(open[0] as State, 'PLANTED^KEY');
    await expect(note(open[0] as State, 'PLANTED^KEY')).rejects.toThrow(/duplicate/);
    await sql`delete from setting where key = 'PLANTED^KEY'`.execute((open[0] as State).db);
    const { log } = await locate(home, await unprivilegedUser());
    const text = await readFile(log, 'utf8');
    expect(text).toContain('ready to accept connections');
    expect(text).not.toContain('PLANTED');
  });

  it('comes back when it is killed while queries run, and loses no row that was acknowledged', async () => {
    const state = await start();
    const acknowledged: string[] = [];
    const failures: unknown[] = [];
    let going = true;
    const writer = async (name: string) => {
      for (let i = 0; going; i++) {
        const key = `kill.${name}.${i}`;
        await note(state, key).then(
          () => acknowledged.push(key),
          (error) => failures.push(error),
        );
        // A query on a closed pool fails at once; without this the loop would never let a timer run.
        await setImmediate();
      }
    };
    const writers = ['a', 'b', 'c', 'd'].map(writer);
    const victims = [true, false, true];
    try {
      for (const first of victims) {
        const before = acknowledged.length;
        await until('rows are written', async () => acknowledged.length > before + 20);
        const victim = await until('a victim', async () =>
          first
            ? (await processesOf(home)).find((process) => process.first)?.pid
            : (
                await state.pool
                  .query(
                    "select pid from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
                  )
                  .catch(() => ({ rows: [] }))
              ).rows[0]?.pid,
        );
        process.kill(victim, 'SIGKILL');
      }
      const after = acknowledged.length;
      await until('rows are written again', async () => acknowledged.length > after + 20);
    } finally {
      going = false;
      await Promise.all(writers);
    }

    expect(failures.length).toBeGreaterThan(0);
    expect(failures.map((error) => (error as { kind?: string }).kind ?? String(error))).toEqual(
      failures.map(() => 'unavailable'),
    );
    expect(events.filter((event) => event === 'up').length).toBeGreaterThanOrEqual(2);
    const there = new Set(await keys(state));
    expect(acknowledged.filter((key) => !there.has(key))).toEqual([]);
    await sql`delete from setting where key like 'kill.%'`.execute(state.db);
  });

  it('ends a transaction that was open when it died, without any of its rows', async () => {
    const state = await start();
    const victim = (await processesOf(home)).find((process) => process.first)?.pid as number;
    const transaction = state.db.transaction().execute(async (inside) => {
      await inside.insertInto('setting').values({ key: 'half', value: '1', updated_by: 'test' }).execute();
      process.kill(victim, 'SIGKILL');
      await until('it is up again', async () => events.includes('up'));
      await inside.insertInto('setting').values({ key: 'other half', value: '1', updated_by: 'test' }).execute();
    });
    await expect(transaction).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await keys(state)).toEqual(['first']);
  });

  it('starts over the orphan of a server that was killed', async () => {
    const server = await startServerProcess(home);
    const orphans = await processesOf(home);
    server.kill('SIGKILL');
    await once(server, 'exit');
    expect((await processesOf(home)).length).toBeGreaterThan(0);

    const state = await start();
    expect(await keys(state)).toEqual(['first']);
    const now = (await processesOf(home)).map(({ pid }) => pid);
    expect(orphans.filter(({ pid }) => now.includes(pid))).toEqual([]);
  });

  it('starts when server and database were killed together, and another process has the old number', async () => {
    const server = await startServerProcess(home);
    const processes = await processesOf(home);
    server.kill('SIGKILL');
    for (const { pid } of processes) process.kill(pid, 'SIGKILL');
    await until('all are gone', async () => (await processesOf(home)).length === 0);
    const { data } = await locate(home, await unprivilegedUser());
    const pidFile = join(data, 'postmaster.pid');
    const bystander = spawn('sleep', ['600'], { stdio: 'ignore', ...(await unprivilegedUser()) });
    const lines = (await readFile(pidFile, 'utf8')).split('\n');
    await writeFile(pidFile, [bystander.pid, ...lines.slice(1)].join('\n'));
    try {
      expect(await keys(await start())).toEqual(['first']);
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
    } finally {
      bystander.kill('SIGKILL');
    }
  });

  it('goes with a server that ends without stopping it', async () => {
    const server = await startServerProcess(home, 'setTimeout(() => process.exit(3), 10)');
    await once(server, 'exit');
    await until('all are gone', async () => (await processesOf(home)).length === 0);
  });

  it('lets a worker of the same machine in, and tells it when no server runs', async () => {
    await expect(joinState({ home })).rejects.toMatchObject({ kind: 'unavailable' });
    const server = await start();
    const worker = await joinState({ home, applicationName: 'isocenter worker' });
    open.push(worker);
    expect(worker.installationId).toBe(server.installationId);
    expect(await keys(worker)).toEqual(['first']);
    // The server starts again: the address stays, the worker's connections come back by themselves.
    await server.close();
    await expect(keys(worker)).rejects.toMatchObject({ kind: 'unavailable' });
    const again = await start();
    expect(await keys(worker)).toEqual(['first']);
    await worker.close();
    expect(await keys(again)).toEqual(['first']);
  });

  it('refuses to begin anew when its folder is gone', async () => {
    const other = await mkdtemp(join(tmpdir(), 'isocenter-gone-'));
    try {
      await writeFile(join(other, 'postgres.json'), '{"folder":"postgres"}');
      await expect(openState({ home: other })).rejects.toMatchObject({ kind: 'data-missing' });
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });

  it('is made whole after a first start that was killed in the middle', async () => {
    const other = await mkdtemp(join(tmpdir(), 'isocenter-first-'));
    await chmod(other, 0o711);
    try {
      for (const stage of ['data', 'global/pg_control']) {
        const server = spawnServer(other);
        await until(`initdb has made ${stage}`, async () => {
          const making = (await readdir(other)).find((name) => name.startsWith('.postgres.new-'));
          return making && stat(join(other, making, stage === 'data' ? stage : `data/${stage}`)).catch(() => false);
        });
        server.kill('SIGKILL');
        await once(server, 'exit');
        expect(await readdir(other)).not.toContain('postgres');
      }
      const state = await openState({ home: other });
      expect(await keys(state)).toEqual([]);
      await state.close();
      expect((await readdir(other)).filter((name) => name.includes('.new-'))).toEqual([]);
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });

  it.each([
    ['a very long name', ['d'.repeat(120), 'e'.repeat(120)]],
    ['a strange name', ['a, b "c" %2F', "d'e+f&g=h#é"]],
  ])('works below a home with %s', async (_name, parts) => {
    const base = await mkdtemp(join(tmpdir(), 'isocenter-name-'));
    await chmod(base, 0o711);
    const deep = join(base, ...parts);
    try {
      const state = await openState({ home: deep, embedded: { durable: false } });
      expect(await keys(state)).toEqual([]);
      const socketFolder = new URL(state.url).searchParams.get('host') as string;
      expect(socketFolder.length).toBeLessThan(90);
      expect((await stat(socketFolder)).mode & 0o777).toBe(0o700);
      await state.close();
      await rm(socketFolder, { recursive: true, force: true });
    } finally {
      await rm(base, { recursive: true, force: true });
    }
  });

  it.runIf(root)('as root runs as another account, also when that one cannot reach home', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'isocenter-closed-'));
    const inside = join(closed, 'home');
    await mkdir(inside);
    let folder = '';
    const folders = new Set<string>();
    try {
      for (const [round, expected] of [[], ['kept'], []].entries()) {
        if (round === 2) await rm(inside, { recursive: true });
        const state = await openState({ home: inside, embedded: { durable: false } });
        expect(await keys(state)).toEqual(expected);
        if (round === 0) await note(state, 'kept');
        for (const { pid } of await processesOf(inside)) expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
        ({ folder } = JSON.parse(await readFile(join(inside, 'postgres.json'), 'utf8')));
        expect(state.place).toBe(folder);
        folders.add(folder);
        expect(folder).toMatch(/^\/var\/lib\/isocenter\//);
        await state.close();
      }
    } finally {
      await rm(closed, { recursive: true, force: true });
      for (const each of folders)
        if (each.startsWith('/var/lib/isocenter/')) await rm(each, { recursive: true, force: true });
    }
  });
});

/** A server in a process of its own, of the built program. */
function spawnServer(home: string, then = ''): ChildProcess {
  const script = `import { openState } from ${JSON.stringify(built)};
    await openState({ home: ${JSON.stringify(home)} }); console.log('ready'); setInterval(() => {}, 1000); ${then}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function startServerProcess(home: string, then?: string): Promise<ChildProcess> {
  const child = spawnServer(home, then);
  const lines = createInterface(child.stdout as NodeJS.ReadableStream);
  const [line] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
  expect(line).toBe('ready');
  return child;
}
