-- The name that a link to a provider's identity has in addresses, where its subject has no business.
ALTER TABLE access.external_identities ADD COLUMN id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();

-- By whose word a role is held: '' somebody gave it, else the provider of access.oidc that names the person's groups at
-- each sign-in. Without that provider in the configuration it does not count.
ALTER TABLE access.memberships ADD COLUMN provider text NOT NULL DEFAULT '';
CREATE INDEX ON access.memberships (provider) WHERE provider <> '';
