/** Handlers that are modules answer in as many processes as wished; none of them is left over, and one that ends is replaced. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask, B, RELATED, readAnswer, requestBody } from './arterys.suite.js';
import { type ServedHandlers, serveHandlers } from './stand-alone.js';

const HANDLER = `export default ({ json, logger }) => {
  if (json.end) process.exit(3);
  logger.info('asked');
  return { json: { protocol_version: '1.0', parts: [], study_ml_json: { pid: process.pid } } };
};\n`;
const BODY = requestBody([Buffer.from('any bytes')]);
const ENDING = requestBody([], '{"end": true}');

describe('a service with three processes', () => {
  let folder = '';
  let served: ServedHandlers;
  let lines: string[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isocenter-arterys-'));
    await writeFile(join(folder, 'handler.mjs'), HANDLER);
    lines = [];
    const keep = (text: string) => void lines.push(text);
    const log = { debug: keep, info: keep, warn: keep, error: keep };
    served = await serveHandlers({ '/': join(folder, 'handler.mjs') }, { port: 0, processes: 3, log });
  });
  afterEach(async () => {
    await served?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** On a connection that stays open; the answer's process. */
  const pidBy = (agent: Agent, body = BODY) =>
    new Promise<number>((resolve, reject) => {
      const headers = { 'content-type': RELATED, 'content-length': body.length };
      const sent = request(served.url, { method: 'POST', agent, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('end', () => {
          const { pid } = readAnswer({
            status: answer.statusCode ?? 0,
            headers: answer.headers as Record<string, string>,
            body: Buffer.concat(chunks),
          }).json.study_ml_json;
          resolve(pid);
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const agents = (count: number) => Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }));

  it('answers one client in one process, and many in all; no line of the log is lost', async () => {
    const [alone] = agents(1) as [Agent];
    for (let n = 0; n < 3; n++) expect(await pidBy(alone)).toBe(process.pid);
    const many = agents(5);
    const pids = await Promise.all(many.map((agent) => pidBy(agent)));
    expect(new Set([...pids, process.pid]).size).toBe(3);
    expect(await Promise.all(many.map((agent) => pidBy(agent)))).toEqual(pids);
    await vi.waitFor(() => expect(lines.filter((line) => line.endsWith('- asked'))).toHaveLength(13), 20_000);
    await served.close();
    for (const pid of new Set(pids)) if (pid !== process.pid) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    for (const agent of [alone, ...many]) agent.destroy();
  });

  it('loses with a process only what was in it, and starts another', async () => {
    const [, ...others] = agents(3) as [Agent, ...Agent[]];
    const [first] = agents(1) as [Agent];
    expect(await pidBy(first)).toBe(process.pid);
    const [second, third] = others as [Agent, Agent];
    const pids = [await pidBy(second), await pidBy(third)];
    await expect(pidBy(second, ENDING)).rejects.toThrow();
    expect(await pidBy(third)).toBe(pids[1]);
    await vi.waitFor(() => expect(lines.join()).toContain('a process of handlers ended: 3'), 20_000);
    expect(pids).not.toContain(await pidBy(second));
    for (const agent of [first, second, third]) agent.destroy();
  });

  it('closes while clients hold connections open and say nothing', async () => {
    const sockets = Array.from({ length: 6 }, () => connect(served.port, '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const answers = sockets.map((socket) => once(socket, 'data'));
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.write(
        `POST / HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nContent-Type: multipart/related; boundary=${B}\r\nContent-Length: ${BODY.length}\r\n\r\n`,
      );
      socket.write(BODY);
    }
    for (const [answer] of await Promise.all(answers)) expect(String(answer)).toContain('HTTP/1.1 200');
    const ended = sockets.map((socket) => once(socket, 'close'));
    await served.close();
    await Promise.all(ended);
  });

  it('says what is wrong with a module, before it listens', async () => {
    await writeFile(join(folder, 'none.mjs'), 'export const nothing = 1;\n');
    await expect(serveHandlers({ '/': join(folder, 'none.mjs') }, { port: 0 })).rejects.toMatchObject({
      kind: 'bad-route',
    });
    const handler = () => ({ json: { protocol_version: '1.0', parts: [] } }) as const;
    await expect(serveHandlers({ '/': handler }, { port: 0, processes: 2 })).rejects.toThrow(/modules/);
    expect((await ask(served.url, '/healthcheck', { method: 'GET' })).body.toString()).toBe('READY');
  });
});
