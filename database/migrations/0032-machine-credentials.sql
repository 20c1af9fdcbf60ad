-- By what service accounts prove who they are: secrets, keys, and the word of another issuer.

CREATE TABLE service_account_secret (
  id uuid CONSTRAINT service_account_secret__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL,
  service_account_id uuid NOT NULL,
  -- SHA-256 of 256 random bits, which need no salt and no slow hash.
  hash bytea NOT NULL CONSTRAINT service_account_secret__hash__unique UNIQUE,
  -- The last characters, by which people tell one from another.
  hint text NOT NULL CONSTRAINT service_account_secret__hint__check CHECK (length(hint) = 4),
  expires_at timestamptz NOT NULL
    CONSTRAINT service_account_secret__expires_at__check CHECK (expires_at <= created_at + interval '366 days'),
  -- To the minute.
  last_used_at timestamptz,
  created_by uuid CONSTRAINT service_account_secret__created_by__fkey REFERENCES person ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT service_account_secret__service_account_id__fkey FOREIGN KEY (workspace_id, service_account_id)
    REFERENCES service_account (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX service_account_secret__service_account_id__idx
  ON service_account_secret (workspace_id, service_account_id);

CREATE TABLE service_account_key (
  id uuid CONSTRAINT service_account_key__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL,
  service_account_id uuid NOT NULL,
  -- A public JSON Web Key (RFC 7517); its kid is the thumbprint.
  jwk jsonb NOT NULL CONSTRAINT service_account_key__jwk__check CHECK (NOT jwk ?| ARRAY['d', 'k', 'p', 'q']),
  -- RFC 7638, SHA-256 in base64url.
  thumbprint text NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz,
  created_by uuid CONSTRAINT service_account_key__created_by__fkey REFERENCES person ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT service_account_key__service_account_id__fkey FOREIGN KEY (workspace_id, service_account_id)
    REFERENCES service_account (workspace_id, id) ON DELETE CASCADE,
  CONSTRAINT service_account_key__service_account_id_thumbprint__unique
    UNIQUE (workspace_id, service_account_id, thumbprint)
);

-- Whoever brings a token of this issuer with these claims is the service account.
CREATE TABLE federated_credential (
  id uuid CONSTRAINT federated_credential__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL,
  service_account_id uuid NOT NULL,
  issuer text NOT NULL CONSTRAINT federated_credential__issuer__check CHECK (issuer ~ '^https://'),
  audience text NOT NULL,
  -- Claim → pattern.
  claims jsonb NOT NULL CONSTRAINT federated_credential__claims__check CHECK (claims <> '{}'),
  -- The issuer's public keys, when they are not to be read from it.
  jwks jsonb,
  single_use boolean NOT NULL,
  last_used_at timestamptz,
  created_by uuid CONSTRAINT federated_credential__created_by__fkey REFERENCES person ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT federated_credential__service_account_id__fkey FOREIGN KEY (workspace_id, service_account_id)
    REFERENCES service_account (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX federated_credential__service_account_id__idx
  ON federated_credential (workspace_id, service_account_id);

DO $$
DECLARE
  guarded text;
BEGIN
  FOREACH guarded IN ARRAY ARRAY['service_account_secret', 'service_account_key', 'federated_credential'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true)', guarded);
    EXECUTE format('CREATE POLICY issuer ON %I TO hexabase_issuer USING (true)', guarded);
    EXECUTE format(
      'CREATE POLICY tenant ON %1$I TO hexabase_tenancy_api
       USING (EXISTS (
         SELECT FROM workspace_member m
         WHERE m.workspace_id = %1$I.workspace_id AND m.person_id = current_person_id()
         OFFSET 0
       ))',
      guarded
    );
  END LOOP;
END
$$;

-- tenancy-api: makes and removes them; it can't read back even the hash of a secret.
GRANT SELECT (
  id, workspace_id, service_account_id, hint, expires_at, last_used_at, created_by, created_at
) ON service_account_secret TO hexabase_tenancy_api;
GRANT INSERT (id, workspace_id, service_account_id, hash, hint, expires_at, created_by)
  ON service_account_secret TO hexabase_tenancy_api;
GRANT SELECT ON service_account_key, federated_credential TO hexabase_tenancy_api;
GRANT INSERT (id, workspace_id, service_account_id, jwk, thumbprint, expires_at, created_by)
  ON service_account_key TO hexabase_tenancy_api;
GRANT INSERT (
  id, workspace_id, service_account_id, issuer, audience, claims, jwks, single_use, created_by
) ON federated_credential TO hexabase_tenancy_api;
GRANT DELETE ON service_account_secret, service_account_key, federated_credential TO hexabase_tenancy_api;

-- issuer: recognizes by them, and notes when.
GRANT SELECT ON service_account_secret, service_account_key, federated_credential TO hexabase_issuer;
GRANT UPDATE (last_used_at) ON service_account_secret, service_account_key, federated_credential
  TO hexabase_issuer;
