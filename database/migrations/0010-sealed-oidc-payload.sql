-- Payloads hold identifiers that are credentials too (an interaction names the session's cookie and the
-- device code), so they are sealed with ENCRYPTION_KEY, bound to their row.
ALTER TABLE oidc_grant DROP COLUMN payload, ADD COLUMN sealed_payload bytea NOT NULL;
ALTER TABLE oidc_artifact DROP COLUMN payload, ADD COLUMN sealed_payload bytea NOT NULL;
