-- The name that a link to a provider's identity has in addresses, where its subject has no business.
ALTER TABLE access.external_identities ADD COLUMN id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid();

-- By whose word a role is held: '' somebody gave it, else the provider of access.oidc that names the person's groups at
-- each sign-in. Without that provider in the configuration it does not count.
ALTER TABLE access.memberships ADD COLUMN provider text NOT NULL DEFAULT '';
CREATE INDEX ON access.memberships (provider) WHERE provider <> '';

-- Jobs and uploads are their account's own; nobody's jobs are whose who knows their id. The server's upkeep, which takes
-- jobs from the queue and removes what has expired, says so with SET LOCAL citymap.upkeep (geoserver/upkeep.py). How the
-- scope of a key narrows this further, geoserver/jobs.py says.
ALTER TABLE citymap.jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE citymap.jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON citymap.jobs TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own ON citymap.jobs TO citymap_app
    USING (actor IS NULL OR actor = current_setting('citymap.actor', true)
           OR current_setting('citymap.upkeep', true) = 'on');

ALTER TABLE citymap.uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE citymap.uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON citymap.uploads TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own ON citymap.uploads TO citymap_app
    USING (actor IS NOT DISTINCT FROM nullif(current_setting('citymap.actor', true), '')
           OR current_setting('citymap.upkeep', true) = 'on');
