-- Revocation: the grants that ended before their time, for the issuer to have clusters refuse what is left of
-- their tokens; and how the API ends grants of which it may not even read a row.

-- However a grant ends (a sign-out, a revocation, a refresh token used twice, a person removed), its ID tokens
-- outlive it by minutes. Kept a little longer than the longest of them.
CREATE TABLE ended_grant (
  id_hash bytea CONSTRAINT ended_grant__id_hash__pkey PRIMARY KEY,
  -- A workspace's client: no other's tokens are for clusters.
  client_id text NOT NULL,
  ended_at timestamptz NOT NULL
);
CREATE INDEX ended_grant__ended_at__idx ON ended_grant (ended_at);

CREATE FUNCTION remember_ended_grants() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO ended_grant (id_hash, client_id, ended_at)
  SELECT id_hash, client_id, clock_timestamp() FROM gone
  WHERE client_id LIKE 'ws\_%' AND expires_at > now()
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION remember_ended_grants FROM PUBLIC;
CREATE TRIGGER remember_ended_grants AFTER DELETE ON oidc_grant
  REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION remember_ended_grants();

-- The client of a workspace: its public identifier, `ws_` and the UUID in Crockford's base32.
CREATE FUNCTION workspace_client_id(of_workspace uuid) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
  SELECT 'ws_' || string_agg(
    substr(
      '0123456789abcdefghjkmnpqrstvwxyz',
      substring(
        B'00' || ('x' || replace(of_workspace::text, '-', ''))::bit(128) FROM 5 * i + 1 FOR 5
      )::bit(5)::int + 1,
      1
    ),
    '' ORDER BY i
  )
  FROM generate_series(0, 25) AS i
$$;

-- Ends somebody's sign-ins to a workspace of mine; answers how many there were.
CREATE FUNCTION end_workspace_grants(of_person uuid, in_workspace uuid) RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  ended integer;
BEGIN
  DELETE FROM oidc_grant
  WHERE account_id = of_person AND client_id = workspace_client_id(in_workspace)
    AND EXISTS (
      SELECT FROM workspace_member m
      WHERE m.workspace_id = in_workspace AND m.person_id = current_person_id()
    );
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END
$$;

-- Ends all sign-ins of mine, or as a platform administrator those of anybody: clients' sign-ins are gone, and
-- browsers' sessions that began before this count no more. Answers how many there were of each; no row when
-- there is no such person, or they are somebody else.
CREATE FUNCTION sign_out_everywhere(of_person uuid)
  RETURNS TABLE (grants integer, sessions integer)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF of_person IS DISTINCT FROM current_person_id()
    AND current_setting('hexabase.platform_admin', true) IS DISTINCT FROM 'true'
  THEN
    RETURN;
  END IF;
  UPDATE person SET signed_out_at = clock_timestamp() WHERE id = of_person;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  DELETE FROM oidc_grant WHERE account_id = of_person;
  GET DIAGNOSTICS grants = ROW_COUNT;
  SELECT count(*)::int INTO sessions FROM oidc_artifact a
  WHERE a.account_id = of_person AND a.model = 'Session' AND a.consumed_at IS NULL
    AND a.expires_at > now();
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION workspace_client_id, end_workspace_grants, sign_out_everywhere FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_workspace_grants, sign_out_everywhere TO hexabase_tenancy_api;

ALTER TABLE ended_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE ended_grant FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON ended_grant TO CURRENT_USER USING (true);
CREATE POLICY issuer ON ended_grant TO hexabase_issuer USING (true);
GRANT SELECT, UPDATE, DELETE ON ended_grant TO hexabase_issuer;
