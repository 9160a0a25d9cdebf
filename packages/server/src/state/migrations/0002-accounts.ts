/**
 * Accounts, sessions, API keys, one-time links and the memory of failed sign-ins (accounts/tables.ts has the columns' meaning).
 * Every token is stored as its SHA-256 only: 256 random bits need no slow hash. Passwords are argon2id.
 */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE TABLE account (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    name_key text UNIQUE,
    role text NOT NULL,
    password_hash text,
    issuer text,
    subject text,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL,
    last_sign_in_at timestamptz,
    UNIQUE (issuer, subject),
    -- Either a name and a password, or a provider and its subject: never linked to each other.
    CHECK ((name_key IS NULL) = (issuer IS NOT NULL) AND (name_key IS NULL) = (password_hash IS NULL)
      AND (issuer IS NULL) = (subject IS NULL))
  )`.execute(db);

  await sql`CREATE TABLE account_session (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    address text NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX account_session_account ON account_session (account_id)`.execute(db);
  await sql`CREATE INDEX account_session_expires ON account_session (expires_at)`.execute(db);

  await sql`CREATE TABLE api_key (
    id uuid PRIMARY KEY,
    key_hash bytea NOT NULL UNIQUE,
    prefix text NOT NULL,
    name text NOT NULL,
    account_id uuid,
    created_by_kind text NOT NULL,
    created_by_name text NOT NULL,
    role text NOT NULL,
    scopes text[],
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
  )`.execute(db);
  await sql`CREATE INDEX api_key_account ON api_key (account_id)`.execute(db);

  await sql`CREATE TABLE account_link (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    purpose text NOT NULL,
    role text NOT NULL,
    name text,
    account_id uuid REFERENCES account ON DELETE CASCADE,
    created_by_kind text NOT NULL,
    created_by_id text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
  )`.execute(db);

  await sql`CREATE TABLE sign_in_place (
    place bytea PRIMARY KEY,
    name_hash bytea NOT NULL,
    failures integer NOT NULL,
    last_at timestamptz NOT NULL,
    locked_until timestamptz,
    succeeded_at timestamptz
  )`.execute(db);
  await sql`CREATE INDEX sign_in_place_name ON sign_in_place (name_hash)`.execute(db);
  await sql`CREATE INDEX sign_in_place_last ON sign_in_place (last_at)`.execute(db);

  await sql`CREATE TABLE provider_login (
    cookie_hash bytea PRIMARY KEY,
    state text NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    return_to text,
    expires_at timestamptz NOT NULL
  )`.execute(db);
  await sql`CREATE INDEX provider_login_expires ON provider_login (expires_at)`.execute(db);
}
