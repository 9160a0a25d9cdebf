/** Accounts over a fresh database, with a clock that tests turn, and short ways to people in it. */
import type { Role } from '@isocenter/client';
import type { AuditTrail, ChainedEntry } from '../audit/audit-trail.js';
import { openAuditLog } from '../audit/open-audit-log.js';
import { type TestDatabase, testDatabase } from '../state/test-database.suite.js';
import type { Accounts, SignedIn } from './accounts.js';
import { type Actor, SYSTEM } from './actor.js';
import { type AccountsOptions, openAccounts } from './open-accounts.js';
import { PasswordHasher } from './password-hasher.js';
import { newLocalToken } from './tokens.js';

export const PASSWORD = 'four unrelated words: kelp ruler frost';

/** A thousandth of the work, for cases in which the work is not the matter. */
export const quickHasher = new PasswordHasher({ memoryCost: 64, timeCost: 1 });

export interface AccountsBench {
  readonly accounts: Accounts;
  readonly audit: AuditTrail;
  readonly database: TestDatabase;
  readonly localToken: string;
  readonly clock: () => Date;
  /** Moves the clock. */
  pass(ms: number): void;
  /** As another server on the same database has it: its own memory. */
  another(options?: Partial<AccountsOptions>): Accounts;
  /** Each call from an address of its own, so that limits do not meddle with other cases. */
  person(name: string, role: Role, by?: Actor): Promise<SignedIn>;
  /** Actions of the audit log from the oldest on, of one area. */
  audited(area: string): Promise<readonly ChainedEntry[]>;
  close(): Promise<void>;
}

export async function accountsBench(options: Partial<AccountsOptions> = {}): Promise<AccountsBench> {
  const database = await testDatabase();
  let now = Date.UTC(2026, 10, 22, 9);
  let address = 0;
  const clock = () => new Date(now);
  const audit = openAuditLog({ db: database.db, clock });
  const localToken = newLocalToken();
  const opened: Accounts[] = [];
  const another = (more: Partial<AccountsOptions> = {}) => {
    const accounts = openAccounts({
      db: database.db,
      audit,
      clock,
      localToken,
      hasher: quickHasher,
      ...options,
      ...more,
    });
    opened.push(accounts);
    return accounts;
  };
  const accounts = another();
  return {
    accounts,
    audit,
    database,
    localToken,
    clock,
    another,
    pass: (ms) => {
      now += ms;
    },
    async person(name, role, by = SYSTEM) {
      const { token } = await accounts.invite(role, by);
      address += 1;
      return accounts.acceptInvite(token, name, PASSWORD, `10.9.${address >> 8}.${address & 255}`);
    },
    async audited(area) {
      return [...(await audit.list({ action: area }, { limit: 1000 })).entries].reverse();
    },
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await database.close();
    },
  };
}
