/**
 * How the command line finds the server of a data directory and proves that it is run by the directory's owner: a file that
 * only this user can read, with the address and a token that is new at each start.
 */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@isocenter/formats';
import { Failure } from '@isocenter/volume';
import { z } from 'zod';

export type AddressFileErrorKind = 'no-server' | 'not-yours';

export class AddressFileError extends Failure<AddressFileErrorKind> {}

const schema = z.object({ url: z.url(), token: z.string().min(1), pid: z.int(), startedAt: z.iso.datetime() });

export type ServerAddress = z.infer<typeof schema>;

const fileOf = (home: string) => join(home, 'run', 'server.json');

export async function writeAddress(home: string, address: ServerAddress): Promise<void> {
  const file = fileOf(home);
  await mkdir(join(home, 'run'), { recursive: true, mode: 0o700 });
  await chmod(join(home, 'run'), 0o700);
  await writeFileAtomic(file, Buffer.from(`${JSON.stringify(address)}\n`));
  await chmod(file, 0o600);
}

export async function removeAddress(home: string): Promise<void> {
  await rm(fileOf(home), { force: true });
}

/** Throws AddressFileError `no-server` (nothing runs, or another data directory is meant) and `not-yours`. */
export function readAddress(home: string): ServerAddress {
  let text: string;
  try {
    text = readFileSync(fileOf(home), 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EACCES')
      throw new AddressFileError('not-yours', 'The server of this data directory belongs to another user', {
        where: home,
        next: 'Run this as that user, or set ISOCENTER_URL and ISOCENTER_KEY.',
      });
    throw noServer(home);
  }
  const parsed = schema.safeParse(safeJson(text));
  if (!parsed.success || !isAlive(parsed.data.pid)) throw noServer(home);
  return parsed.data;
}

function noServer(home: string): AddressFileError {
  return new AddressFileError('no-server', 'No server runs on this data directory', {
    where: home,
    next: 'Start it with `isocenter serve`; for a server elsewhere set ISOCENTER_URL and ISOCENTER_KEY.',
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
