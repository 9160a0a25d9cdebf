/** `isocenter users …` and `isocenter keys …`: who may use a server. */
import type { Role } from '@isocenter/client';
import { table } from '../../output/table.js';
import type { CommandContext } from '../../program.js';
import { connect, type RemoteOptions } from '../../remote/connect.js';
import { oneTimeLink, onlyHere } from '../../remote/one-time-link.js';

const DAY_MS = 86_400_000;
const day = (time: string | undefined) => time?.slice(0, 10) ?? '';

export async function listUsersCommand(options: RemoteOptions, { terminal }: CommandContext): Promise<undefined> {
  const { items } = await connect(options).client.users.list();
  terminal.print(
    table(
      ['id', 'name', 'role', 'state', 'last sign-in'],
      items.map(({ id, name, role, disabled, lastSignInAt }) => [
        id,
        name,
        role,
        disabled ? 'disabled' : 'active',
        day(lastSignInAt),
      ]),
    ),
  );
  terminal.document({ users: items });
  return undefined;
}

export async function inviteCommand(
  options: RemoteOptions & { readonly role: Role; readonly name?: string },
  { terminal }: CommandContext,
): Promise<undefined> {
  const { client, url } = connect(options);
  const { token, expiresAt } = await client.invites.create({
    role: options.role,
    ...(options.name === undefined ? {} : { name: options.name }),
  });
  const link = await oneTimeLink(client, url, token);
  terminal.print(`${link}\n  for one ${options.role}, once, until ${expiresAt}`);
  const hint = onlyHere(link);
  if (hint) terminal.print(`  ${hint}`);
  terminal.document({ link, role: options.role, expiresAt });
  return undefined;
}

export async function createKeyCommand(
  options: RemoteOptions & {
    readonly name: string;
    readonly role?: Role;
    readonly scopes?: readonly string[];
    readonly days?: number;
  },
  { terminal }: CommandContext,
): Promise<undefined> {
  const { client } = connect(options);
  const { id, key } = await client.keys.create({
    name: options.name,
    ...(options.role === undefined ? {} : { role: options.role }),
    ...(options.scopes === undefined ? {} : { scopes: options.scopes as never }),
    ...(options.days === undefined ? {} : { expiresAt: new Date(Date.now() + options.days * DAY_MS).toISOString() }),
  });
  terminal.print(key);
  terminal.document({ id, key });
  return undefined;
}

export async function listKeysCommand(options: RemoteOptions, { terminal }: CommandContext): Promise<undefined> {
  const { items } = await connect(options).client.keys.list();
  terminal.print(
    table(
      ['id', 'name', 'key', 'role', 'last use', 'expires', 'state'],
      items.map(({ id, name, prefix, role, lastUsedAt, expiresAt, revokedAt }) => [
        id,
        name,
        `${prefix}…`,
        role,
        day(lastUsedAt),
        day(expiresAt),
        revokedAt ? 'revoked' : 'active',
      ]),
    ),
  );
  terminal.document({ keys: items });
  return undefined;
}

export async function revokeKeyCommand(
  options: RemoteOptions & { readonly id: string },
  { terminal }: CommandContext,
): Promise<undefined> {
  await connect(options).client.keys.revoke({ key: options.id });
  terminal.print(`${options.id}: revoked`);
  terminal.document({ key: options.id, revoked: true });
  return undefined;
}
