-- One login role per service, so that a fault in one service reads and writes only what that service
-- is for. They own nothing and bypass nothing. Roles belong to the whole server: another database on
-- it may have made them already. They get their passwords from `npm run migrate`.
DO $$
DECLARE
  service text;
BEGIN
  FOREACH service IN ARRAY ARRAY['hexabase_issuer', 'hexabase_tenancy_api', 'hexabase_rbac_sync'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', service);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
END
$$;
GRANT USAGE ON SCHEMA public TO hexabase_issuer, hexabase_tenancy_api, hexabase_rbac_sync;
