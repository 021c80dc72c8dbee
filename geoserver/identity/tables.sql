-- What proves who asks. Secrets of ours are here as hashes only; TOTP secrets are encrypted with the server's key.

ALTER TABLE access.accounts
    -- NULL: the account has no password (it signs in elsewhere, or by keys only).
    ALTER COLUMN hash DROP NOT NULL,
    -- Its password was made by somebody else: it may do nothing but change it.
    ADD COLUMN must_change boolean NOT NULL DEFAULT false,
    ADD COLUMN password_set timestamptz NOT NULL DEFAULT now(),
    -- Tokens carry it; raised, it ends all of them.
    ADD COLUMN epoch integer NOT NULL DEFAULT 0;

CREATE TABLE access.former_passwords (
    account text NOT NULL REFERENCES access.accounts ON DELETE CASCADE ON UPDATE CASCADE,
    hash text NOT NULL,
    replaced timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON access.former_passwords (account, replaced DESC);

-- step: the last time step of RFC 6238 whose code was taken; none at or before it is taken again.
CREATE TABLE access.totp (
    account text PRIMARY KEY REFERENCES access.accounts ON DELETE CASCADE ON UPDATE CASCADE,
    secret bytea NOT NULL,
    confirmed timestamptz,
    step bigint NOT NULL DEFAULT 0
);

CREATE TABLE access.recovery_codes (
    account text NOT NULL REFERENCES access.accounts ON DELETE CASCADE ON UPDATE CASCADE,
    digest bytea NOT NULL,
    PRIMARY KEY (account, digest)
);

-- Failures of signing in, counted for each client from which the account has signed in before, and for all other
-- clients together ('').
CREATE TABLE access.sign_in_counters (
    account text NOT NULL REFERENCES access.accounts ON DELETE CASCADE ON UPDATE CASCADE,
    client text NOT NULL,
    succeeded timestamptz,
    failures integer NOT NULL DEFAULT 0,
    failed timestamptz,
    locked_until timestamptz,
    PRIMARY KEY (account, client)
);

CREATE TABLE access.sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    digest bytea NOT NULL UNIQUE,
    account text NOT NULL REFERENCES access.accounts ON DELETE CASCADE ON UPDATE CASCADE,
    via text NOT NULL,
    made timestamptz NOT NULL DEFAULT now(),
    seen timestamptz NOT NULL DEFAULT now(),
    expires timestamptz NOT NULL,
    address text,
    agent text
);
CREATE INDEX ON access.sessions (account);
CREATE INDEX ON access.sessions (expires);

CREATE TABLE access.api_keys (
    id text PRIMARY KEY,
    digest bytea NOT NULL,
    account text NOT NULL REFERENCES access.accounts ON DELETE CASCADE ON UPDATE CASCADE,
    label text NOT NULL,
    scope jsonb,
    made timestamptz NOT NULL DEFAULT now(),
    made_by text NOT NULL,
    expires timestamptz NOT NULL,
    revoked timestamptz,
    used timestamptz,
    used_from text
);
CREATE INDEX ON access.api_keys (account);

CREATE TABLE access.device_secrets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    device text NOT NULL,
    digest bytea NOT NULL,
    made timestamptz NOT NULL DEFAULT now(),
    made_by text NOT NULL,
    revoked timestamptz
);
CREATE INDEX ON access.device_secrets (device);

-- Whatever ends an identity wakes every worker, which then remembers none. Counting, last uses and the removal of what is
-- over anyway wake nobody, so these are triggers of rows.
DROP TRIGGER changed ON access.accounts;
CREATE TRIGGER changed
    AFTER INSERT OR UPDATE OF name, hash, disabled, must_change, password_set, epoch OR DELETE ON access.accounts
    FOR EACH ROW EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OF secret, confirmed OR DELETE ON access.totp
    FOR EACH ROW EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER UPDATE OF digest, account, expires ON access.sessions
    FOR EACH ROW EXECUTE FUNCTION access.changed();
CREATE TRIGGER ended AFTER DELETE ON access.sessions
    FOR EACH ROW WHEN (OLD.expires > now()) EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER UPDATE OF digest, account, scope, expires, revoked OR DELETE ON access.api_keys
    FOR EACH ROW EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER UPDATE OF digest, device, revoked OR DELETE ON access.device_secrets
    FOR EACH ROW EXECUTE FUNCTION access.changed();

GRANT SELECT, INSERT, UPDATE, DELETE ON access.former_passwords, access.totp, access.recovery_codes,
    access.sign_in_counters, access.sessions, access.api_keys, access.device_secrets TO citymap_access;

-- Before there were roles, the account of the first start could do everything; it becomes the administrator.
INSERT INTO access.memberships (account, role)
SELECT name, 'administrator' FROM access.accounts
WHERE name = 'admin' AND NOT EXISTS (SELECT FROM access.memberships WHERE role = 'administrator');
