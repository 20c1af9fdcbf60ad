-- What every change writes in its own transaction: an audit event, an outbox row and, when it
-- concerns a cluster, a task that rbac-sync ends once it has verified the change there.

CREATE TABLE task (
  id uuid CONSTRAINT task__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL CONSTRAINT task__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  kind text NOT NULL,
  -- The workspace generation that holds the change: the task succeeds when it has been observed.
  generation bigint NOT NULL,
  -- The namespace that the change stays within; unset when it concerns the whole cluster. What goes wrong
  -- in one namespace holds up no task of another.
  namespace text,
  state text NOT NULL DEFAULT 'pending'
    CONSTRAINT task__state__check CHECK (state IN ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
  progress integer NOT NULL DEFAULT 0 CONSTRAINT task__progress__check CHECK (progress BETWEEN 0 AND 100),
  step text,
  error text,
  created_by uuid CONSTRAINT task__created_by__fkey REFERENCES person,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX task__workspace_id_generation__idx ON task (workspace_id, generation) WHERE finished_at IS NULL;

CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox__id__pkey PRIMARY KEY,
  organization_id uuid NOT NULL,
  workspace_id uuid,
  kind text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_event (
  id uuid CONSTRAINT audit_event__id__pkey PRIMARY KEY,
  organization_id uuid NOT NULL,
  workspace_id uuid,
  -- No foreign key: an event outlives the person it speaks of.
  actor_id uuid,
  action text NOT NULL,
  target_id uuid,
  before jsonb,
  after jsonb,
  request_id text,
  ip inet,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_event__organization_id_id__idx ON audit_event (organization_id, id);
