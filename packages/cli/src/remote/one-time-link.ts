/** The address of a one-time link, as the person who gets it can open it. */
import type { Client } from '@isocenter/client';

/** `publicUrl` of the server, where it has one; else the address that we ourselves use. */
export async function oneTimeLink(client: Client, url: string, token: string): Promise<string> {
  const told = await client.settings.get({ setting: 'publicUrl' }).catch(() => undefined);
  const base = typeof told?.value === 'string' ? told.value.replace(/\/+$/, '') : url;
  return `${base}/setup?token=${encodeURIComponent(token)}`;
}

/** What is said beside a link that works on this machine only; undefined for any other. */
export function onlyHere(link: string): string | undefined {
  return /^(127\.|localhost$|\[::1\]$)/.test(new URL(link).hostname)
    ? 'It opens on this machine only; set publicUrl to the address that others use.'
    : undefined;
}
