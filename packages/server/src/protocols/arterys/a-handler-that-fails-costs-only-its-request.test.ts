/** Handlers in the whole server: one that throws, hangs, ends, or cannot be loaded is 500 for its client and nothing for others. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestServer } from '../../rest/rest-server.suite.js';
import { protocolServer } from '../protocol-server.suite.js';
import { AnswerThreads } from './answer-threads.js';
import { ask, readAnswer, requestBody, sha256 } from './arterys.suite.js';
import { arterys } from './routes.js';
import { TaggedLogger } from './tagged-logger.js';

const MODULES: Readonly<Record<string, string>> = {
  good: `const kept = new Uint8Array(4).fill(9);
    export default async ({ json, parts, inputHash, logger }) => {
      logger.info('seen ' + parts.length);
      console.log('Mueller^Joerg');
      return { json: { protocol_version: '1.0', parts: [{ label: 'kept', binary_type: 'boolean_mask', SeriesInstanceUID: '1.2',
        binary_data_shape: { timepoints: 1, depth: 1, width: 2, height: 2 } }], study_ml_json: { json, inputHash, environment: process.env.SECRET ?? 'none' } },
        parts: [kept] };
    };`,
  throws: "export default () => { throw new Error('Mueller^Joerg') };",
  hangs: 'export default () => { for (;;); };',
  waits: 'export default () => new Promise(() => {});',
  ends: 'export default () => process.exit(3);',
  later: "export default () => { setImmediate(() => { throw new Error('late') }); return new Promise(() => {}); };",
  short: "export default () => ({ json: { protocol_version: '1.0', parts: [] }, parts: [new Uint8Array(1)] });",
  broken: 'this is no module',
  none: 'export const handler = () => 1;',
};

describe('a handler', () => {
  let folder = '';
  let server: RestServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isocenter-arterys-'));
    const routes: Record<string, object> = { '/absent': { handler: join(folder, 'absent.mjs') } };
    for (const [name, text] of Object.entries(MODULES)) {
      await writeFile(join(folder, `${name}.mjs`), text);
      const hangs = name === 'hangs' || name === 'waits';
      routes[`/${name}`] = { handler: join(folder, `${name}.mjs`), seconds: hangs ? 1.5 : 60 };
    }
    process.env.SECRET = 'a password';
    server = await protocolServer([arterys], { flags: { protocols: JSON.stringify({ arterys: { routes } }) } });
  }, 120_000);
  afterAll(async () => {
    delete process.env.SECRET;
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const body = requestBody([Buffer.from('one'), Buffer.from('two')]);

  it('that is good is answered as often as it is asked, also with a mask that it keeps, and knows no secret', async () => {
    for (let n = 0; n < 3; n++) {
      const { json, bodies, hashes } = readAnswer(await ask(server.url, '/good', { body }));
      expect([...bodies[0]!]).toEqual([9, 9, 9, 9]);
      expect(json.study_ml_json).toMatchObject({ environment: 'none', inputHash: hashes.slice(0, 64) });
      expect(server.logged.join('')).toContain(`{\\"input_hash\\": \\"${hashes.slice(0, 64)}\\"} - seen 2`);
      expect(hashes.slice(65)).toBe(sha256(readAnswer(await ask(server.url, '/good', { body })).jsonText, bodies[0]!));
    }
    expect(server.logged.join('')).not.toContain('Mueller');
    // Once, although two loggers have it.
    expect(server.logged.join('')).not.toContain('- {\\"input_hash');
  });

  it('that throws, hangs, ends its thread or cannot be loaded is 500, and the others go on', async () => {
    for (const name of ['throws', 'hangs', 'waits', 'ends', 'later', 'short', 'broken', 'none', 'absent']) {
      const answer = await ask(server.url, `/${name}`, { body });
      expect([name, answer.status, answer.body.toString()]).toEqual([name, 500, 'internal server error']);
      expect((await ask(server.url, '/good', { body })).status, name).toBe(200);
      // A second request finds no thread that the first one broke.
      if (name !== 'hangs' && name !== 'waits') expect((await ask(server.url, `/${name}`, { body })).status).toBe(500);
    }
    const log = server.logged.join('');
    expect(log).toContain('longer than 1.5 s');
    expect(log).toContain('json.parts has 0 entries, parts has 1 bodies');
    expect(log).not.toContain('Mueller');
  });

  it('that is asked by too many tells those at the end of the line to come back', async () => {
    const threads = new AnswerThreads({
      module: new URL(`file://${join(folder, 'waits.mjs')}`).href,
      atOnce: 1,
      waiting: 1,
      waitMs: 60_000,
      timeMs: 60_000,
      heapMegabytes: 64,
    });
    const logger = new TaggedLogger({ debug() {}, info() {}, warn() {}, error() {} });
    const task = () => ({ kind: 'handle', json: {}, parts: [], inputHash: '' }) as const;
    const first = new AbortController();
    const second = new AbortController();
    const answers = [threads.answer(task(), logger, first.signal), threads.answer(task(), logger, second.signal)];
    const ends = Promise.all(answers.map((answer) => answer.catch(({ kind }) => kind)));
    await expect(threads.answer(task(), logger)).rejects.toMatchObject({ kind: 'busy', retryAfterSeconds: 2 });
    second.abort();
    first.abort();
    expect(await ends).toEqual(['busy', 'busy']);
    await threads.close();
  });
});
