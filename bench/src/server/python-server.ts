/** The Python servers that stand beside ours: one small Flask application and one of FastAPI, under the servers people run them with. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { benchFolder } from '../peers.js';
import { freePort, isOk, type Served, startProgram, until } from './served.js';

const KEY = 'iso_bench_0123456789abcdef0123456789abcdef';

export type PythonServer = 'werkzeug' | 'gunicorn' | 'gunicorn-sync' | 'uvicorn' | 'uvicorn-plain';

/** One process that serves each, as ours: more processes are for machines with more cores. */
function argumentsOf(kind: PythonServer, port: number, threads: number): readonly string[] {
  const gunicorn = ['-m', 'gunicorn', '--bind', `127.0.0.1:${port}`, '--workers', '1', '--log-level', 'error'];
  const uvicorn = ['-m', 'uvicorn', 'fastapi_server:app', '--port', String(port), '--no-access-log'];
  switch (kind) {
    case 'werkzeug':
      return ['flask_server.py', String(port)];
    case 'gunicorn':
      return [...gunicorn, '--threads', String(threads), '--timeout', '300', 'flask_server:app'];
    case 'gunicorn-sync':
      return [...gunicorn, 'flask_server:app'];
    case 'uvicorn':
      return [...uvicorn, '--loop', 'uvloop', '--http', 'httptools', '--log-level', 'error'];
    case 'uvicorn-plain':
      return [...uvicorn, '--loop', 'asyncio', '--http', 'h11', '--log-level', 'error'];
  }
}

export async function startPython(kind: PythonServer, python: string, folder: string, threads = 64): Promise<Served> {
  const stored = join(folder, 'stored');
  mkdirSync(stored);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${KEY}` };
  const program = startProgram([python, ...argumentsOf(kind, port, threads)], {
    cwd: join(benchFolder, 'peers'),
    env: { ...process.env, BENCH_KEY: KEY, BENCH_FOLDER: stored, PYTHONDONTWRITEBYTECODE: '1' },
  });
  await until(program, () => isOk(`${url}/me`, headers));
  return { url, roots: [program.pid], headers, stored, stop: () => program.stop() };
}
