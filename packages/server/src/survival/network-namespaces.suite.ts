/** Test hosts as Linux network namespaces (ip-netns(8)): each has one link to this machine, which can be cut and mended. Needs root. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Taken from what RFC 2544 keeps for tests between networks: 198.18.0.0/15. */
const network = (n: number) => `198.18.${n}`;
/** Names of links have at most 15 characters. */
const mark = process.pid.toString(36);

export interface TestHost {
  readonly name: string;
  /** Its own address, and that of this machine on the link. */
  readonly address: string;
  readonly gateway: string;
  /** Before a program that is to run there. */
  readonly before: readonly string[];
  cut(): Promise<void>;
  mend(): Promise<void>;
  remove(): Promise<void>;
}

/** Why there are none; undefined: they can be made. */
export async function noTestHosts(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces are Linux only';
  if (process.getuid?.() !== 0) return 'making network namespaces needs root';
  const name = `iso${mark}probe`;
  try {
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['netns', 'del', name]);
    return undefined;
  } catch (error) {
    return `ip netns does not work here: ${(error as Error).message.split('\n').at(-2) ?? ''}`;
  }
}

export async function testHost(n: number): Promise<TestHost> {
  const name = `iso${mark}-${n}`;
  const [outer, inner] = [`iv${mark}o${n}`, `iv${mark}i${n}`];
  const [gateway, address] = [`${network(n)}.1`, `${network(n)}.2`];
  const ip = (...args: string[]) => run('ip', args);
  await ip('netns', 'add', name);
  try {
    await ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name);
    await ip('addr', 'add', `${gateway}/30`, 'dev', outer);
    await ip('link', 'set', outer, 'up');
    await ip('-n', name, 'addr', 'add', `${address}/30`, 'dev', inner);
    await ip('-n', name, 'link', 'set', inner, 'up');
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    await ip('-n', name, 'route', 'add', 'default', 'via', gateway);
  } catch (error) {
    await ip('netns', 'del', name);
    throw error;
  }
  return {
    name,
    address,
    gateway,
    before: ['ip', 'netns', 'exec', name],
    // At our end: at the other the route would be forgotten with it.
    cut: async () => void (await ip('link', 'set', outer, 'down')),
    mend: async () => void (await ip('link', 'set', outer, 'up')),
    // The link goes with its end in the namespace.
    remove: async () => void (await ip('netns', 'del', name)),
  };
}
