/** Finds the server that a command talks to: the one that is named, or the one of the data directory on this machine. */
import { type Client, createClient } from '@isocenter/client';
import { readAddress } from '@isocenter/server/address';
import { configuredHome } from '@isocenter/server/home';

export interface RemoteOptions {
  readonly url?: string;
  readonly key?: string;
  readonly home?: string;
}

/** Throws AddressFileError when there is no server. */
export function connect(options: RemoteOptions): { readonly client: Client; readonly url: string } {
  const url = options.url ?? process.env.ISOCENTER_URL;
  const key = options.key ?? process.env.ISOCENTER_KEY;
  if (url !== undefined) return { client: createClient({ url, ...(key === undefined ? {} : { key }) }), url };
  const address = readAddress(configuredHome(options.home));
  return { client: createClient({ url: address.url, key: key ?? address.token }), url: address.url };
}
