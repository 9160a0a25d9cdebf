/** Tables of accounts, as Kysely sees them; migration 0002 makes them. Secrets are stored as SHA-256, passwords as argon2id. */
import type { Permission, Role } from '@isocenter/client';
import type { Actor } from './actor.js';

export interface AccountTable {
  id: string;
  /** As shown. */
  name: string;
  /** What is compared (user-name.ts); null for accounts of a provider, which sign in with issuer and subject. */
  name_key: string | null;
  role: Role;
  password_hash: string | null;
  issuer: string | null;
  subject: string | null;
  disabled_at: Date | null;
  created_at: Date;
  last_sign_in_at: Date | null;
}

export interface AccountSessionTable {
  id: string;
  token_hash: Buffer;
  account_id: string;
  address: string;
  created_at: Date;
  last_seen_at: Date;
  /** Absolute; the sliding end is counted from `last_seen_at`. */
  expires_at: Date;
}

export interface ApiKeyTable {
  id: string;
  key_hash: Buffer;
  prefix: string;
  name: string;
  /** Null: made by the local owner. No foreign key: the row of a revoked key outlives the account. */
  account_id: string | null;
  created_by_kind: Actor['kind'];
  created_by_name: string;
  role: Role;
  scopes: Permission[] | null;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export interface AccountLinkTable {
  id: string;
  token_hash: Buffer;
  purpose: 'setup' | 'invite' | 'reset';
  role: Role;
  name: string | null;
  /** Whose password is reset. */
  account_id: string | null;
  /** Who made it; what it gives never exceeds what they may when it is used. */
  created_by_kind: Actor['kind'];
  created_by_id: string;
  created_at: Date;
  expires_at: Date;
}

/** One row per (name, address) that failed or succeeded lately; both only as a hash, for people type passwords into name fields. */
export interface SignInPlaceTable {
  place: Buffer;
  name_hash: Buffer;
  failures: number;
  last_at: Date;
  locked_until: Date | null;
  succeeded_at: Date | null;
}

/** A sign-in that was sent to the provider and has not come back yet. */
export interface ProviderLoginTable {
  cookie_hash: Buffer;
  state: string;
  nonce: string;
  verifier: string;
  return_to: string | null;
  expires_at: Date;
}

export interface AccountTables {
  account: AccountTable;
  account_session: AccountSessionTable;
  api_key: ApiKeyTable;
  account_link: AccountLinkTable;
  sign_in_place: SignInPlaceTable;
  provider_login: ProviderLoginTable;
}
