/** Parts of the server that tests of the HTTP border need, in memory. */
import { type AddressInfo, connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import { AccountError } from '../accounts/account-error.js';
import type { Accounts, ProviderSignIn } from '../accounts/accounts.js';
import type { Actor } from '../accounts/actor.js';
import type { AuditEntry, AuditLog } from '../audit/audit-log.js';
import type { HttpContext, HttpSettings } from './context.js';
import { Drain } from './drain.js';
import { defaultLimits, type HttpLimits } from './limits.js';
import { UploadGate } from './upload-gate.js';

export const admin: Actor = { kind: 'person', id: 'a1', name: 'ada', role: 'administrator' };
export const clinician: Actor = { kind: 'person', id: 'c1', name: 'cleo', role: 'clinician' };
export const service: Actor = { kind: 'key', id: 'k1', name: 'pacs', role: 'service' };

export const ADMIN_KEY = 'iso_admin';
export const SERVICE_KEY = 'iso_service';
export const SESSION = 'session-of-cleo';

/** Known keys and one session; name and password `cleo` / `right`; everything else is nobody. */
export class FakeAccounts {
  readonly keys = new Map<string, Actor>([
    [ADMIN_KEY, admin],
    [SERVICE_KEY, service],
  ]);
  readonly sessions = new Map<string, Actor>([[SESSION, clinician]]);
  setupToken: string | undefined = 'setup-token';
  provider: ProviderSignIn | undefined;

  async authenticate({ bearer, sessionToken }: { bearer?: string; sessionToken?: string }): Promise<Actor | undefined> {
    if (bearer === 'iso_locked')
      throw new AccountError('locked', 'Too many failed attempts', { retryAfterMs: 90_000, next: 'Wait.' });
    return bearer === undefined ? this.sessions.get(sessionToken ?? '') : this.keys.get(bearer);
  }

  async signIn(name: string, password: string) {
    if (name !== 'cleo' || password !== 'right')
      throw new AccountError('wrong-credentials', 'Name or password is wrong', { next: 'Try again.' });
    this.sessions.set('fresh', clinician);
    return { token: 'fresh', expiresAt: new Date(Date.now() + 3_600_000), actor: clinician };
  }

  async signOut(token: string): Promise<void> {
    this.sessions.delete(token);
  }

  async needsSetup(): Promise<boolean> {
    return this.setupToken !== undefined;
  }

  async inspectLink(token: string) {
    if (token !== this.setupToken) throw new AccountError('bad-invite', 'This link is not valid any more');
    return { purpose: 'setup' as const, role: 'administrator' as const, name: undefined, expiresAt: new Date(0) };
  }

  async acceptInvite(token: string, name: string) {
    if (token !== this.setupToken) throw new AccountError('bad-invite', 'This link is not valid any more');
    this.setupToken = undefined;
    const actor: Actor = { kind: 'person', id: 'a2', name, role: 'administrator' };
    this.sessions.set('first', actor);
    return { token: 'first', expiresAt: new Date(Date.now() + 3_600_000), actor };
  }
}

export interface FakeContext extends HttpContext {
  readonly fakeAccounts: FakeAccounts;
  /** What was logged, line by line. */
  readonly logged: string[];
  readonly entries: AuditEntry[];
}

export function fakeContext(
  wish: { limits?: Partial<HttpLimits>; settings?: Partial<HttpSettings> } & Partial<
    Pick<HttpContext, 'metrics' | 'tracing' | 'ready'>
  > = {},
): FakeContext {
  const fakeAccounts = new FakeAccounts();
  const logged: string[] = [];
  const entries: AuditEntry[] = [];
  const sink = new PassThrough();
  sink.on('data', (line: Buffer) => logged.push(line.toString()));
  const { limits: wished, settings, ...rest } = wish;
  const limits = { ...defaultLimits, ...wished };
  return {
    fakeAccounts,
    logged,
    entries,
    accounts: fakeAccounts as unknown as Accounts,
    audit: { record: async (entry: AuditEntry) => void entries.push(entry) } as unknown as AuditLog,
    log: pino({ level: 'debug' }, sink),
    limits,
    settings: { version: '0.1.0', trustedProxies: [], networks: {}, corsOrigins: [], ...settings },
    clock: { now: () => Date.now() },
    uploads: new UploadGate(limits.uploads),
    drain: new Drain(),
    ...rest,
  };
}

export interface RawAnswer {
  /** Everything that came, as Latin-1. */
  readonly text: string;
  readonly status: number;
  /** How the connection ended. */
  readonly end: 'closed' | 'reset';
}

/** Writes bytes to a socket and reads until the server closes it (or `until` matches). */
export function talk(
  port: number,
  parts: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  until?: RegExp,
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = (end: RawAnswer['end']): void => {
      socket.destroy();
      resolve({ text, status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), end });
    };
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (until?.test(text)) finish('closed');
    });
    socket.on('end', () => finish('closed'));
    socket.on('error', () => finish('reset'));
    let writable = (): void => {};
    socket.on('drain', () => writable());
    socket.on('close', () => writable());
    void (async () => {
      for await (const part of parts) {
        if (socket.destroyed || !socket.writable) return;
        if (!socket.write(part))
          await new Promise<void>((resume) => {
            writable = resume;
          });
      }
    })();
  });
}

export function portOf(app: { readonly server: { address(): AddressInfo | string | null } }): number {
  return (app.server.address() as AddressInfo).port;
}
