-- The counters of the issuer's rate limits, for installations without Redis. The shape is the one that
-- rate-limiter-flexible works on. Unlogged: after a crash counting starts anew, and no counter is worth a
-- write to disk in every request.
CREATE UNLOGGED TABLE rate_limit (
  -- The limit's name and a keyed hash of what it counts: no address and no username is readable here.
  key text CONSTRAINT rate_limit__key__pkey PRIMARY KEY,
  points integer NOT NULL DEFAULT 0,
  -- Milliseconds since 1970.
  expire bigint
);
CREATE INDEX rate_limit__expire__idx ON rate_limit (expire);

GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limit TO hexabase_issuer;

ALTER TABLE rate_limit ENABLE ROW LEVEL SECURITY;
ALTER TABLE rate_limit FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON rate_limit TO CURRENT_USER USING (true);
CREATE POLICY issuer ON rate_limit TO hexabase_issuer USING (true);
