-- When a replica of the issuer last said that it has the connector: replicas may have different settings for a
-- while, and what one doesn't know may be new.
ALTER TABLE connector ADD published_at timestamptz NOT NULL DEFAULT now();
