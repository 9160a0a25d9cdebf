/** `isocenter users …`: what an administrator does with one account. */
import type { Client, Role } from '@isocenter/client';
import { Failure } from '@isocenter/volume';
import type { CommandContext } from '../../program.js';
import { connect, type RemoteOptions } from '../../remote/connect.js';
import { oneTimeLink } from '../../remote/one-time-link.js';

export class UserError extends Failure<'not-found'> {}

export interface UserOptions extends RemoteOptions {
  /** Name or id. */
  readonly user: string;
}

type Change = (client: Client, user: string, url: string) => Promise<string>;

function command(change: Change) {
  return async (options: UserOptions, { terminal }: CommandContext): Promise<undefined> => {
    const { client, url } = connect(options);
    const { id, name } = await find(client, options.user);
    const said = await change(client, id, url);
    terminal.print(`${name}: ${said}`);
    terminal.document({ user: id, name, done: said });
    return undefined;
  };
}

export const unlockUserCommand = command(async (client, user) => {
  await client.users.unlock({ user });
  return 'failed sign-ins are forgotten';
});

export const resetUserCommand = command(async (client, user, url) => {
  const { token, expiresAt } = await client.users.resetLink({ user });
  const link = await oneTimeLink(client, url, token);
  return `${link} sets a new password, once, until ${expiresAt}`;
});

export const removeUserCommand = command(async (client, user) => {
  await client.users.remove({ user });
  return 'removed';
});

export function changeUserCommand(changes: { readonly role?: Role; readonly disabled?: boolean }) {
  return command(async (client, user) => {
    const { role, disabled } = await client.users.update({ user, ...changes });
    return `${role}, ${disabled ? 'disabled' : 'active'}`;
  });
}

async function find(client: Client, wanted: string) {
  const { items } = await client.users.list();
  const found = items.find(({ id, name }) => id === wanted || name.toLowerCase() === wanted.toLowerCase());
  if (found) return found;
  throw new UserError('not-found', 'There is no such person', {
    where: wanted,
    next: '`isocenter users list` shows all.',
  });
}
