/** Our own server for the bench: `isocenter serve` as anybody starts it, on a data directory of its own, called with an API key. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readAddress } from '@isocenter/server/address';
import { benchFolder } from '../peers.js';
import { type Program, type Served, startProgram, until } from './served.js';

export const cli = join(benchFolder, '../packages/cli/bin/isocenter.js');

export interface OurServer extends Served {
  readonly home: string;
}

/** Starts it and makes a key for it; `args` are further ones of `isocenter serve`. */
export async function startIsocenter(home: string, args: readonly string[] = []): Promise<OurServer> {
  const program = runIsocenter(home, ['--port', '0', ...args]);
  try {
    await until(program, async () => existsSync(join(home, 'run/server.json')));
    const { url, token } = readAddress(home);
    const response = await fetch(`${url}/isocenter/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'bench', role: 'administrator' }),
    });
    if (response.status !== 201) throw new Error(`no key: ${response.status} ${await response.text()}`);
    const { key } = (await response.json()) as { key: string };
    return {
      home,
      url,
      roots: [program.pid],
      headers: { authorization: `Bearer ${key}` },
      stored: join(home, 'blobs/objects'),
      stop: () => program.stop(),
    };
  } catch (error) {
    await program.stop();
    throw error;
  }
}

/** Settings of whoever runs the bench must not reach the server that is measured. */
export function runIsocenter(home: string, args: readonly string[]): Program {
  return startProgram([process.execPath, cli, 'serve', ...args], { env: environmentOf(home) });
}

export function environmentOf(home: string): NodeJS.ProcessEnv {
  const strangers = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('ISOCENTER_') && name !== 'DATABASE_URL',
  );
  return { ...Object.fromEntries(strangers), ISOCENTER_HOME: home };
}
