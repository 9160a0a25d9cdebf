/** People, their sessions and invitations, and the keys of programs. */
import { z } from 'zod';
import { operation } from '../operation.js';
import { permissions, roles } from '../permissions.js';
import { actor, id, text, time } from './common.js';

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

const signedIn = z.object({ expiresAt: time, me });

export const session = z.object({
  id,
  userId: z.string(),
  userName: z.string(),
  address: z.string(),
  createdAt: time,
  lastSeenAt: time,
  expiresAt: time,
});

export const sessions = {
  signIn: operation({
    method: 'POST',
    path: '/isocenter/v1/sessions',
    summary: 'Sign in: sets the session cookie',
    tag: 'sessions',
    permission: 'public',
    body: z.strictObject({ name: userName, password }),
    answer: signedIn,
    status: 201,
  }),
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/sessions',
    summary: 'My sessions; everybody’s with users.manage',
    tag: 'sessions',
    permission: 'signed-in',
    answer: z.object({ items: z.array(session) }),
  }),
  signOut: operation({
    method: 'DELETE',
    path: '/isocenter/v1/sessions/current',
    summary: 'Sign out',
    tag: 'sessions',
    permission: 'signed-in',
  }),
  revoke: operation({
    method: 'DELETE',
    path: '/isocenter/v1/sessions/:session',
    summary: 'End a session on another device',
    tag: 'sessions',
    permission: 'signed-in',
    params: z.object({ session: id }),
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
    body: z.strictObject({ current: password, wanted: password }),
    answer: signedIn,
  }),
} as const;

const link = z.object({ token: z.string(), expiresAt: time });

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
    body: z.strictObject({ role, name: userName.optional().describe('The name that must be used') }),
    answer: link,
    status: 201,
  }),
  inspect: operation({
    method: 'POST',
    path: '/isocenter/v1/invites/inspect',
    summary: 'What an invitation is for, before it is used',
    tag: 'invites',
    permission: 'public',
    body: z.strictObject({ token }),
    answer: z.object({
      purpose: z.enum(['setup', 'invite', 'reset']),
      role,
      name: z.string().optional(),
      expiresAt: time,
    }),
  }),
  accept: operation({
    method: 'POST',
    path: '/isocenter/v1/invites/accept',
    summary: 'Use a link: makes the account (or sets its password) and signs in',
    tag: 'invites',
    permission: 'public',
    body: z.strictObject({ token, name: userName, password }),
    answer: signedIn,
    status: 201,
  }),
} as const;

export const user = z.object({
  id,
  name: z.string(),
  role,
  signsInWith: z.enum(['password', 'provider']),
  disabled: z.boolean(),
  createdAt: time,
  lastSignInAt: time.optional(),
});

const userParams = z.object({ user: id });
const reason = text(500).optional();

export const users = {
  list: operation({
    method: 'GET',
    path: '/isocenter/v1/users',
    summary: 'People with an account',
    tag: 'users',
    permission: 'users.manage',
    answer: z.object({ items: z.array(user) }),
  }),
  get: operation({
    method: 'GET',
    path: '/isocenter/v1/users/:user',
    summary: 'One person',
    tag: 'users',
    permission: 'users.manage',
    params: userParams,
    answer: user,
  }),
  update: operation({
    method: 'PATCH',
    path: '/isocenter/v1/users/:user',
    summary: 'Change the role, disable or enable',
    tag: 'users',
    permission: 'users.manage',
    params: userParams,
    body: z.strictObject({ role: role.optional(), disabled: z.boolean().optional(), reason }),
    answer: user,
  }),
  unlock: operation({
    method: 'POST',
    path: '/isocenter/v1/users/:user/unlock',
    summary: 'Forget failed sign-ins of this person',
    tag: 'users',
    permission: 'users.manage',
    params: userParams,
  }),
  resetLink: operation({
    method: 'POST',
    path: '/isocenter/v1/users/:user/reset-link',
    summary: 'A token with which the person sets a new password',
    tag: 'users',
    permission: 'users.manage',
    params: userParams,
    answer: link,
    status: 201,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/isocenter/v1/users/:user',
    summary: 'Remove an account; its jobs and audit entries stay',
    tag: 'users',
    permission: 'users.manage',
    params: userParams,
    query: z.strictObject({ reason }),
  }),
} as const;

export const key = z.object({
  id,
  name: z.string(),
  prefix: z.string().describe('First characters, to recognise it by'),
  createdBy: actor,
  role,
  scopes: z.array(permission).optional().describe('What it is limited to; absent: all that its role may do'),
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
    summary: 'My keys; everybody’s with keys.manage',
    tag: 'keys',
    permission: 'keys.own',
    answer: z.object({ items: z.array(key) }),
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
