/**
 * The audit log: an append-only table whose rows are chained by SHA-256 (docs/reference/audit.md, audit/entry-bytes.ts).
 *
 * Where the chain is made. Whoever gives an entry its number must know the entry before, so appending is serial
 * somewhere. Three places were possible: (1) lock the head when the entry is inserted: one caller with a long
 * transaction stops every other change of the system; (2) insert unchained rows and chain them later by a separate
 * step: entries are unproven for a while, and that step can die or fall behind; (3) lock the head at the very end of the
 * transaction. This is (3): the insert goes to `audit_pending`, and a constraint trigger that is INITIALLY DEFERRED moves it
 * into the chain when the transaction commits. The head is locked for the length of a commit, an entry is in the
 * chain if and only if its change is, and no process of ours has to be alive for that. Measured: docs/reference/audit.md.
 *
 * A deferred trigger fires with the row as inserted, even if somebody deletes it from `audit_pending` before the commit.
 */
import { type Kysely, sql } from 'kysely';

const entryColumns = sql.raw(`
  at timestamptz(3) NOT NULL,
  actor_kind text NOT NULL,
  actor_id text NOT NULL,
  actor_name text NOT NULL,
  action text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  reason text,
  details text,
  request_id text,
  digest bytea NOT NULL CHECK (length(digest) = 32)`);

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`CREATE TABLE audit_head (
    "only" boolean PRIMARY KEY DEFAULT true CHECK ("only"),
    log_id uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32)
  ) WITH (fillfactor = 10)`.execute(db);
  await sql`CREATE TABLE audit_pending (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ${entryColumns})`.execute(
    db,
  );
  await sql`CREATE TABLE audit_entry (
    seq bigint PRIMARY KEY,
    ${entryColumns},
    previous bytea NOT NULL,
    hash bytea NOT NULL
  )`.execute(db);

  // Entry 1 follows a hash made from a fresh id, so that the log of one server cannot stand in for that of another.
  await sql`INSERT INTO audit_head (log_id, seq, hash)
    SELECT id, 0, sha256(convert_to('isocenter-audit-1 ' || id::text, 'UTF8')) FROM (SELECT gen_random_uuid() AS id) fresh`.execute(
    db,
  );

  await sql`CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
      head audit_head%ROWTYPE;
      next_hash bytea;
    BEGIN
      SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
      next_hash := sha256(head.hash || int8send(head.seq + 1) || NEW.digest);
      INSERT INTO audit_entry (seq, at, actor_kind, actor_id, actor_name, action, subject_kind, subject_id,
          reason, details, request_id, digest, previous, hash)
        VALUES (head.seq + 1, NEW.at, NEW.actor_kind, NEW.actor_id, NEW.actor_name, NEW.action, NEW.subject_kind, NEW.subject_id,
          NEW.reason, NEW.details, NEW.request_id, NEW.digest, head.hash, next_hash);
      UPDATE audit_head SET seq = head.seq + 1, hash = next_hash;
      DELETE FROM audit_pending WHERE id = NEW.id;
      RETURN NULL;
    END $$`.execute(db);
  await sql`CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON audit_pending
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_chain()`.execute(db);

  await sql`CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'The audit log is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$`.execute(db);
  await sql`CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`.execute(db);
  await sql`CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()`.execute(db);

  // The server's own role owns these tables (it runs this migration), and an owner can drop a trigger. So triggers stop
  // accidents and stray statements, the chain shows deliberate edits, and anchors kept elsewhere show a rewritten chain.
  await sql`REVOKE ALL ON audit_entry, audit_pending, audit_head FROM PUBLIC`.execute(db);

  await sql`CREATE INDEX audit_entry_subject ON audit_entry (subject_kind, subject_id, seq)`.execute(db);
  await sql`CREATE INDEX audit_entry_actor ON audit_entry (actor_id, seq)`.execute(db);
  await sql`CREATE INDEX audit_entry_action ON audit_entry (action text_pattern_ops, seq)`.execute(db);
  await sql`CREATE INDEX audit_entry_at ON audit_entry USING brin (at)`.execute(db);
}
