/** People, their sessions and invitations, and the keys of programs. */
import { z } from 'zod';
import { operation } from '../operation.js';
import { permissions, roles } from '../permissions.js';
import { actor, flag, id, pageOf, pageWish, text, time } from './common.js';

const role = z.enum(roles);
const permission = z.enum(permissions);
const userName = text(128).min(1);
/** Argon2 takes any length; what is longer than this is no password. */
const password = text(1024).min(1);
const token = text(512).min(1);

export const me = z.object({
  ...actor.shape,
  role,
  permissions: z.array(permission),
});

const session = z.object({ expiresAt: time, me });

export const sessions = {
  signIn: operation({
    method: 'POST',
    path: '/isocenter/v1/sessions',
    summary: 'Sign in: sets the session cookie',
    tag: 'sessions',
    permission: 'public',
    body: z.strictObject({ name: userName, password }),
    answer: session,
    status: 201,
  }),
  signOut: operation({
    method: 'DELETE',
    path: '/isocenter/v1/sessions/current',
    summary: 'Sign out',
    tag: 'sessions',
    permission: 'signed-in',
  }),
  me: operation({
    method: 'GET',
    path: '/isocenter/v1/me',
    summary: 'Who I am and what I may do',
    tag: 'sessions',
    permission: 'signed-in',
    answer: me,
  }),
  changePassword: operation({
    method: 'PUT',
    path: '/isocenter/v1/me/password',
    summary: 'Change my password; my other sessions end',
    tag: 'sessions',
    permission: 'signed-in',
    body: z.strictObject({ current: password, new: password }),
  }),
} as const;

export const invites = {
  status: operation({
    method: 'GET',
    path: '/isocenter/v1/setup',
    summary: 'Whether the first administrator is still to be made',
    tag: 'invites',
    permission: 'public',
    answer: z.object({ needsSetup: z.boolean() }),
  }),
  create: operation({
    method: 'POST',
    path: '/isocenter/v1/invites',
    summary: 'Invite a person: a token for one use',
    tag: 'invites',
    permission: 'users.manage',
    body: z.strictObject({ role, name: userName.optional() }),
    answer: z.object({ token: z.string(), expiresAt: time }),
    status: 201,
  }),
  accept: operation({
    method: 'POST',
    path: '/isocenter/v1/invites/accept',
    summary: 'Take an invitation: makes the account and signs in',
    tag: 'invites',
    permission: 'public',
    body: z.strictObject({ token, name: userName, password }),
    answer: session,
    status: 201,
  }),
} as const;

export const user = z.object({
  id,
  name: z.string(),
  role,
  disabled: z.boolean(),
  lockedUntil: time.optional(),
  createdAt: time,
  lastSignInAt: time.optional(),
});

export const users = {
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/users',
    summary: 'People with an account',
    tag: 'users',
    permission: 'users.manage',
    query: z.strictObject(pageWish),
    answer: pageOf(user),
  }),
  get: operation({
    method: 'GET',
    path: '/isocenter/v1/users/:user',
    summary: 'One person',
    tag: 'users',
    permission: 'users.manage',
    params: z.object({ user: id }),
    answer: user,
  }),
  update: operation({
    method: 'PATCH',
    path: '/isocenter/v1/users/:user',
    summary: 'Change role, disable or enable, unlock',
    tag: 'users',
    permission: 'users.manage',
    params: z.object({ user: id }),
    body: z.strictObject({
      role: role.optional(),
      disabled: z.boolean().optional(),
      unlock: z.literal(true).optional(),
    }),
    answer: user,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/isocenter/v1/users/:user',
    summary: 'Remove an account; its jobs and audit entries stay',
    tag: 'users',
    permission: 'users.manage',
    params: z.object({ user: id }),
  }),
} as const;

export const key = z.object({
  id,
  name: z.string(),
  role,
  scopes: z.array(permission).optional().describe('What it is limited to; absent: all that its role may do'),
  createdBy: z.string().optional().describe('Id of its maker'),
  createdAt: time,
  expiresAt: time.optional(),
  lastUsedAt: time.optional(),
  revokedAt: time.optional(),
});

export const keys = {
  create: operation({
    method: 'POST',
    path: '/isocenter/v1/keys',
    summary: 'Make an API key; it is shown this once',
    tag: 'keys',
    permission: 'keys.own',
    body: z.strictObject({
      name: text(128).min(1),
      role: role.optional().describe('Default service; never more than the maker may do'),
      scopes: z.array(permission).max(permissions.length).optional(),
      expiresAt: time.optional(),
    }),
    answer: z.object({ id, key: z.string() }),
    status: 201,
  }),
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/keys',
    summary: 'My keys; everybody’s with keys.manage and all=true',
    tag: 'keys',
    permission: 'keys.own',
    query: z.strictObject({ ...pageWish, all: flag.optional() }),
    answer: pageOf(key),
  }),
  revoke: operation({
    method: 'DELETE',
    path: '/isocenter/v1/keys/:key',
    summary: 'Revoke a key: it stops working at once',
    tag: 'keys',
    permission: 'keys.own',
    params: z.object({ key: id }),
  }),
} as const;
