/** Finds the server that a command talks to: the one that is named, or the one of the data directory on this machine. */
import { type Client, createClient } from '@isocenter/client';
import { readAddress, type ServerAddress } from '@isocenter/server/address';
import { configuredHome } from '@isocenter/server/home';
import { Failure } from '@isocenter/volume';

export interface RemoteOptions {
  readonly url?: string;
  readonly key?: string;
  readonly home?: string;
}

export class AddressError extends Failure<'bad-address'> {}

/** Throws AddressFileError when there is no server, AddressError when what is named is no address. */
export function connect(options: RemoteOptions): { readonly client: Client; readonly url: string } {
  const named = options.url ?? process.env.ISOCENTER_URL;
  const key = options.key ?? process.env.ISOCENTER_KEY;
  const local = () => readAddress(configuredHome(options.home));
  if (named === undefined) {
    const address = local();
    return { client: createClient({ url: address.url, key: key ?? address.token }), url: address.url };
  }
  const url = checkedUrl(named);
  const secret = key ?? tokenFor(url, local);
  return { client: createClient({ url, ...(secret === undefined ? {} : { key: secret }) }), url };
}

/** The owner of a data directory needs no key for its server, also when its address is spelled out. */
function tokenFor(url: string, local: () => ServerAddress): string | undefined {
  try {
    const address = local();
    return new URL(address.url).origin === new URL(url).origin ? address.token : undefined;
  } catch {
    return undefined;
  }
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text.replace(/\/+$/, '');
  throw new AddressError('bad-address', 'This is not the address of a server', {
    where: text,
    next: 'Write it with http:// or https://, as `isocenter serve` prints it: http://127.0.0.1:8042',
  });
}
