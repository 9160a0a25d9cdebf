/** What is backed up comes back to the byte, built-in to external and back; a damaged file or a database in use changes nothing. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openState, type State } from '../open-state.js';
import { settingKey } from '../settings.js';
import { type TestDatabase, testDatabase } from '../test-database.suite.js';
import type { BackupBlob, BlobSource, BlobTarget } from './backup-blobs.js';
import { readTables } from './catalogue.js';
import { restore } from './restore.js';
import { backup } from './write-backup.js';

/** A zip's local header has 30 bytes, then comes the name. */
const FIRST_NAME_BYTE = 30;
const LARGE_BLOB_BYTES = 70 * 2 ** 20;

function blobOf(bytes: Buffer): BackupBlob & { readonly content: Buffer } {
  const id = randomUUID();
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { id, key: `blobs/${id}`, bytes: bytes.length, sha256, content: bytes };
}

/** The state of these tests need not survive a power cut. */
const embedded = { durable: false };
const busyKey = settingKey('test.busy', z.number(), 0);

class MemoryBlobs implements BlobSource, BlobTarget {
  readonly held = new Map<string, { readonly blob: BackupBlob; readonly content: Buffer }>();
  listed: readonly BackupBlob[] = [];
  failAfter = Number.POSITIVE_INFINITY;

  async *list() {
    yield* this.listed;
  }

  async open({ id }: BackupBlob) {
    const content = this.held.get(id)?.content;
    return content && Readable.from([content.subarray(0, 100_000), content.subarray(100_000)]);
  }

  async put({ id, key, bytes, sha256 }: BackupBlob, source: AsyncIterable<Uint8Array>) {
    if (this.held.size >= this.failAfter) throw new Error('the blob store is full');
    this.held.set(id, { blob: { id, key, bytes, sha256 }, content: await buffer(Readable.from(source)) });
  }

  async discard({ id }: BackupBlob) {
    this.held.delete(id);
  }
}

/** Every row of every table, hashed. */
async function fingerprint({ db }: Pick<State, 'db'>): Promise<Record<string, string>> {
  const prints: Record<string, string> = {};
  for (const { name } of await readTables(db)) {
    const { rows } = await sql<{ readonly print: string }>`
      select count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '') as print
      from ${sql.table(name)} t`.execute(db);
    prints[name] = rows[0]?.print ?? '';
  }
  return prints;
}

async function schemaOf({ db }: Pick<State, 'db'>): Promise<unknown> {
  const constraints = await sql`
    select conrelid::regclass::text as t, conname, condeferrable, condeferred, pg_get_constraintdef(oid) as d
    from pg_constraint where connamespace = 'public'::regnamespace order by 1, 2`.execute(db);
  const triggers = await sql`
    select tgrelid::regclass::text as t, tgname, tgenabled from pg_trigger where not tgisinternal order by 1, 2`.execute(
    db,
  );
  return [constraints.rows, triggers.rows];
}

describe('a backup', () => {
  let folder = '';
  const path = () => join(folder, 'backup.zip');
  let source: State;
  let external: TestDatabase;
  const blobs = new MemoryBlobs();
  const jobIds: Record<string, string> = {};
  const noRequeue = async () => undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isocenter-backup-'));
    await chmod(folder, 0o711);
    source = await openState({ embedded, home: join(folder, 'source') });
    external = await testDatabase({ migrated: false });
    await fill(source);
    const [small, empty, large, gone, rotten] = [
      blobOf(Buffer.from('weights')),
      blobOf(Buffer.alloc(0)),
      blobOf(randomBytes(LARGE_BLOB_BYTES)),
      blobOf(Buffer.from('erased while the backup runs')),
      blobOf(Buffer.from('rotten')),
    ];
    for (const { content, ...blob } of [small, empty, large, rotten]) blobs.held.set(blob.id, { blob, content });
    blobs.held.set(rotten.id, { blob: rotten, content: Buffer.from('rotteN') });
    blobs.listed = [small, empty, large, gone, rotten].map(({ content: _, ...blob }) => blob);
  });
  afterAll(async () => {
    await source.close();
    await external.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function fill({ db }: State) {
    for (const [key, value] of [
      ['null', 'null'],
      ['text', JSON.stringify('Müller^Jörg\n"\\ \u2028 中')],
      ['number', '12345678901234567890.123456789'],
      ['list', '[1, null, {"a": "b"}]'],
    ] as const) {
      await db.insertInto('setting').values({ key, value, updated_by: 'test\twith tab' }).execute();
    }
    // More than one part of 16 MB.
    await sql`insert into setting (key, value, updated_by)
      select 'many.' || n, to_jsonb(repeat(md5(n::text), 40)), 'test' from generate_series(1, 15000) n`.execute(db);
    for (const state of ['queued', 'running', 'succeeded', 'cancelled'] as const) {
      const id = randomUUID();
      jobIds[state] = id;
      await sql`insert into job (id, kind, state, priority, protocol, requester_kind, requester_id, requester_name,
          input_blob_ids, inputs_kept, parameters, max_attempts, fraction)
        values (${id}, 'segment', ${state}, 0, 'rest', 'person', 'p1', 'Ada', array[${randomUUID()}]::uuid[], true,
          '{"formats": "default"}', 3, 0.1)`.execute(db);
    }
    await sql`insert into job_file (job_id, ordinal, name, media_type, bytes, sha256, blob_id)
      values (${jobIds.succeeded}, 0, 'rtstruct.dcm', 'application/dicom', 9007199254740993, 'x', ${randomUUID()})`.execute(
      db,
    );
    for (let i = 0; i < 3; i++) {
      await sql`insert into audit_pending (at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, digest)
        values (now(), 'system', 's', 'S', 'job.created', 'job', ${String(i)}, ${randomBytes(32)})`.execute(db);
    }
  }

  it('is one file for its owner only, of one moment, and says what it could not take', async () => {
    const going = new AbortController();
    const busy = (async () => {
      for (let i = 0; !going.signal.aborted; i++) {
        await source.settings.set(busyKey, i, 'test');
      }
    })();
    const report = await backup(source, blobs, path());
    going.abort();
    await busy;
    await sql`delete from setting where key = 'test.busy'`.execute(source.db);
    expect(report).toMatchObject({ blobs: 3, missing: [blobs.listed[3]?.id], damaged: [blobs.listed[4]?.id] });
    expect(report.rows).toBeGreaterThan(15_000);
    const info = await stat(path());
    expect(info.mode & 0o777).toBe(0o600);
    expect(info.size).toBe(report.bytes);
    await expect(backup(source, blobs, path())).rejects.toMatchObject({ kind: 'backup-failed' });
    await rm(path());
    await backup(source, blobs, path());
  });

  it('is written through no file or link that somebody put beside it', async () => {
    const precious = join(folder, 'precious');
    await writeFile(precious, 'not to be overwritten');
    await symlink(precious, join(folder, 'linked.zip.part'));
    await backup(source, blobs, join(folder, 'linked.zip'));
    expect(await readFile(precious, 'utf8')).toBe('not to be overwritten');
    expect((await stat(join(folder, 'linked.zip'))).mode & 0o777).toBe(0o600);
  });

  it('that cannot be written leaves nothing', async () => {
    await expect(backup(source, blobs, join(folder, 'no', 'such', 'folder.zip'))).rejects.toMatchObject({
      kind: 'backup-failed',
    });
    const failing: BlobSource = {
      list: () => blobs.list(),
      open: () => Promise.reject(new Error('the store is away')),
    };
    await expect(backup(source, failing, join(folder, 'other.zip'))).rejects.toMatchObject({ kind: 'backup-failed' });
    expect((await readdir(folder)).filter((name) => name.startsWith('other.zip'))).toEqual([]);
    // The pool has its connection back.
    expect(await source.db.selectFrom('installation').select('id').execute()).toHaveLength(1);
  });

  it('goes from the built-in database to an external one and back, equal in every row', async () => {
    const expected = await fingerprint(source);
    const schema = await schemaOf(source);
    const requeued: string[] = [];
    const there = new MemoryBlobs();
    const first = await restore({
      embedded,
      home: join(folder, 'on-external'),
      databaseUrl: external.url,
      path: path(),
      blobs: there,
      requeue: async (id, state) => {
        expect(state.kind).toBe('external');
        requeued.push(id);
      },
    });
    expect(requeued.sort()).toEqual([jobIds.queued, jobIds.running].sort());
    expect(first).toMatchObject({ blobs: 3, requeued: 2 });
    expect(await fingerprint(first.state)).toEqual(expected);
    expect(await schemaOf(first.state)).toEqual(schema);
    for (const blob of blobs.listed.slice(0, 3)) {
      expect(there.held.get(blob.id)?.blob).toEqual(blob);
      expect(there.held.get(blob.id)?.content.equals(blobs.held.get(blob.id)?.content as Buffer)).toBe(true);
    }
    expect(there.held.size).toBe(3);

    const second = join(folder, 'second.zip');
    there.listed = blobs.listed.slice(0, 3);
    await backup(first.state, there, second);
    await first.state.close();
    const back = await restore({
      embedded,
      home: join(folder, 'back'),
      path: second,
      blobs: new MemoryBlobs(),
      requeue: noRequeue,
    });
    expect(back.state.kind).toBe('embedded');
    expect(await fingerprint(back.state)).toEqual(expected);
    expect(back.state.installationId).toBe(source.installationId);

    // It lives on: numbers go on where they were, guards guard, the chain is chained.
    const { db } = back.state;
    await sql`insert into audit_pending (at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, digest)
      values (now(), 'system', 's', 'S', 'job.created', 'job', 'x', ${randomBytes(32)})`.execute(db);
    const { rows } = await sql<{ readonly seq: string }>`select seq::text from audit_entry order by seq`.execute(db);
    expect(rows.map(({ seq }) => seq)).toEqual(['1', '2', '3', '4']);
    await expect(sql`delete from audit_entry`.execute(db)).rejects.toThrow('append-only');
    await expect(
      sql`insert into job_file (job_id, ordinal, name, media_type, bytes, sha256, blob_id)
      values (${randomUUID()}, 0, 'x', 'x', 1, 'x', ${randomUUID()})`.execute(db),
    ).rejects.toThrow('foreign key');
    await back.state.close();
    await expect(
      openState({ embedded, home: join(folder, 'back') }).then((state) => state.close()),
    ).resolves.toBeUndefined();
  });

  it('is refused where there is data already', async () => {
    const target = new MemoryBlobs();
    const before = await fingerprint(external);
    await expect(
      restore({
        home: join(folder, 'on-external'),
        databaseUrl: external.url,
        path: path(),
        blobs: target,
        requeue: noRequeue,
      }),
    ).rejects.toMatchObject({ kind: 'not-empty' });
    expect(await fingerprint(external)).toEqual(before);
    expect(target.held.size).toBe(0);
  });

  it('with one changed byte of content, name or place is refused before anything is written', async () => {
    const whole = await readFile(path());
    const copy = join(folder, 'copy.zip');
    const target = new MemoryBlobs();
    const home = join(folder, 'never-made');
    const attempt = () => restore({ embedded, home, path: copy, blobs: target, requeue: noRequeue });
    const tableByte = whole.indexOf('tables/setting/000000.ndjson') + 1000;
    const blobByte = whole.indexOf(`blobs/${blobs.listed[2]?.id}/000001`) + 4000;
    const manifestByte =
      whole.lastIndexOf('manifest.json', whole.lastIndexOf('manifest.sha256', whole.length - 400)) - 300;
    for (const position of [FIRST_NAME_BYTE, tableByte, blobByte, manifestByte, whole.length - 30]) {
      const changed = Buffer.from(whole);
      changed[position] = (changed[position] as number) ^ 1;
      await writeFile(copy, changed);
      await expect(attempt(), `byte ${position}`).rejects.toMatchObject({ kind: 'bad-backup' });
    }
    for (const cut of [0, 1000, Math.floor(whole.length / 2), whole.length - 1]) {
      await writeFile(copy, whole.subarray(0, cut));
      await expect(attempt(), `${cut} bytes`).rejects.toMatchObject({ kind: 'bad-backup' });
    }
    await expect(stat(home)).rejects.toThrow();
    expect(target.held.size).toBe(0);
  });

  it('whose restore fails in the middle leaves an empty database and no blobs, and can be tried again', async () => {
    const home = join(folder, 'again');
    const target = new MemoryBlobs();
    target.failAfter = 1;
    await expect(restore({ embedded, home, path: path(), blobs: target, requeue: noRequeue })).rejects.toThrow('full');
    expect(target.held.size).toBe(0);
    target.failAfter = Number.POSITIVE_INFINITY;
    const { state } = await restore({ embedded, home, path: path(), blobs: target, requeue: noRequeue });
    expect(await fingerprint(state)).toEqual(await fingerprint(source));
    await state.close();
  });
});
