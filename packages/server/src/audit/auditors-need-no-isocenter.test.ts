/** The page for auditors is true: its Python, as printed there, accepts a good export and refuses an edited one. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithPython, repositoryRoot } from '../../../../tools/test/needs.js';
import { SYSTEM } from '../accounts/actor.js';
import { type TestDatabase, testDatabase } from '../state/test-database.suite.js';
import type { AuditTrail } from './audit-trail.js';
import { collect } from './collect.suite.js';
import { openAuditLog } from './open-audit-log.js';

const page = join(repositoryRoot, 'docs/reference/audit.md');

describeWithPython(['hashlib', 'json'], 'the verifier printed in docs/reference/audit.md', (python) => {
  let folder: string;
  let database: TestDatabase;
  let audit: AuditTrail;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isocenter-audit-'));
    const code = /```python\n([\s\S]*?)```/.exec(await readFile(page, 'utf8'))?.[1];
    await writeFile(join(folder, 'verify.py'), code ?? 'the page has no Python');
    database = await testDatabase();
    audit = openAuditLog({ db: database.db });
    for (const name of ['plain', 'Löwe, "Ada" \\ \u0007\u2028', '\u{1F3E5}\uD800\0', '']) {
      await audit.record({
        actor: { ...SYSTEM, name },
        action: 'setting.changed',
        subject: { kind: 'setting', id: name },
        ...(name !== 'plain' && {
          reason: name,
          details: { name, list: [1e21, 0.1, true, null, 'ß'], missing: undefined },
        }),
        requestId: 'r1',
      });
    }
  });
  afterAll(async () => {
    await database?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(text: string): Promise<{ status: number | null; output: string }> {
    const file = join(folder, 'audit.ndjson');
    await writeFile(file, text);
    const { status, stdout, stderr } = spawnSync(python, [join(folder, 'verify.py'), file], { encoding: 'utf8' });
    return { status, output: stdout + stderr };
  }

  it('finds an export intact, whole and from the middle on', async () => {
    const head = await audit.head();
    const whole = await run(await collect((stream) => audit.exportTo(stream)));
    expect(whole.output).toBe(`intact: 4 entries, up to 4 ${head.hash}\n`);
    const tail = await run(await collect((stream) => audit.exportTo(stream, { from: 3 })));
    expect(tail.output).toBe(`intact: 2 entries, up to 4 ${head.hash}\n`);
  });

  it('finds edits, missing entries and a missing end', async () => {
    const lines = (await collect((stream) => audit.exportTo(stream))).trimEnd().split('\n');
    const edited = await run(lines.join('\n').replace('"reason":"Löwe', '"reason":"Lowe'));
    expect(edited.output).toContain('entry 2 is not what was written');
    expect((await run(lines.filter((_, n) => n !== 1).join('\n'))).output).toContain('entry 1 is not');
    expect((await run(lines.filter((_, n) => n !== 4).join('\n'))).output).toContain('the last entries are missing');
    expect((await run(lines.slice(0, -1).join('\n'))).output).toContain('not a whole export');
  });
});
