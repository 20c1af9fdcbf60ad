-- Signing keys go from next to current to retired and are then deleted, or are revoked at any time.

ALTER TABLE signing_key ADD state_since timestamptz NOT NULL DEFAULT now();
UPDATE signing_key SET state_since = created_at;
ALTER TABLE signing_key DROP CONSTRAINT signing_key__state__check;
ALTER TABLE signing_key ADD CONSTRAINT signing_key__state__check
  CHECK (state IN ('next', 'current', 'retired', 'revoked'));
-- Of a revoked key only the name is kept, for those who must refuse it.
ALTER TABLE signing_key ADD CONSTRAINT signing_key__sealed_jwk__check
  CHECK ((state = 'revoked') = (sealed_jwk = ''));

-- tenancy-api and rbac-sync: which keys there are, and nothing of the keys themselves.
GRANT SELECT (kid, algorithm, state, state_since, created_at) ON signing_key
  TO hexabase_tenancy_api, hexabase_rbac_sync;
CREATE POLICY names ON signing_key FOR SELECT TO hexabase_tenancy_api, hexabase_rbac_sync USING (true);

-- Everything that was revoked until then is gone from what the cluster trusts: it has been seen to accept a
-- key that was first published after that.
ALTER TABLE workspace_cluster ADD keys_forgotten_at timestamptz;
