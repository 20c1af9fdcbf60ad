-- The issuer's state. Identifiers that are credentials (codes, tokens, cookies) are stored as SHA-256
-- hashes: a copy of this table signs nobody in.

-- Everything issued under a grant goes with it, in the same statement: a token written after its
-- grant was revoked fails on the foreign key instead of living on.
CREATE TABLE oidc_grant (
  id_hash bytea CONSTRAINT oidc_grant__id_hash__pkey PRIMARY KEY,
  account_id uuid NOT NULL CONSTRAINT oidc_grant__account_id__fkey REFERENCES person ON DELETE CASCADE,
  client_id text NOT NULL,
  -- Sealed with ENCRYPTION_KEY and bound to its row: a payload holds identifiers that are credentials too
  -- (an interaction names the session's cookie and the device code).
  sealed_payload bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX oidc_grant__account_id__idx ON oidc_grant (account_id);
CREATE INDEX oidc_grant__expires_at__idx ON oidc_grant (expires_at);

CREATE TABLE oidc_artifact (
  -- The oidc-provider model: the same id under two models is two things.
  model text NOT NULL,
  id_hash bytea NOT NULL,
  grant_id_hash bytea
    CONSTRAINT oidc_artifact__grant_id_hash__fkey REFERENCES oidc_grant ON DELETE CASCADE,
  account_id uuid CONSTRAINT oidc_artifact__account_id__fkey REFERENCES person ON DELETE CASCADE,
  uid_hash bytea,
  user_code_hash bytea,
  sealed_payload bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  consumed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT oidc_artifact__model_id_hash__pkey PRIMARY KEY (model, id_hash),
  CONSTRAINT oidc_artifact__model_uid_hash__unique UNIQUE (model, uid_hash),
  CONSTRAINT oidc_artifact__model_user_code_hash__unique UNIQUE (model, user_code_hash)
);
CREATE INDEX oidc_artifact__grant_id_hash__idx ON oidc_artifact (grant_id_hash);
CREATE INDEX oidc_artifact__account_id__idx ON oidc_artifact (account_id);
CREATE INDEX oidc_artifact__expires_at__idx ON oidc_artifact (expires_at);

CREATE TABLE signing_key (
  kid text CONSTRAINT signing_key__kid__pkey PRIMARY KEY,
  algorithm text NOT NULL CONSTRAINT signing_key__algorithm__check CHECK (algorithm IN ('ES256', 'RS256')),
  -- The private JWK, sealed with ENCRYPTION_KEY.
  sealed_jwk bytea NOT NULL,
  state text NOT NULL CONSTRAINT signing_key__state__check CHECK (state IN ('next', 'current', 'retired')),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX signing_key__algorithm__unique ON signing_key (algorithm) WHERE state = 'current';
