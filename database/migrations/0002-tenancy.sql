-- People, organizations, workspaces and what is in them. Constraints and indexes are named
-- table__columns__kind: error mapping reads them.

CREATE TABLE person (
  id uuid CONSTRAINT person__id__pkey PRIMARY KEY,
  display_name text NOT NULL,
  email text,
  email_verified boolean NOT NULL DEFAULT false,
  locale text,
  -- Unset for someone whom an import or an administrator has added before they ever signed in.
  first_signed_in_at timestamptz,
  suspended_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Who signs in: the connector's name and the subject it gives. An e-mail address never links accounts.
CREATE TABLE identity (
  connector text NOT NULL,
  subject text NOT NULL,
  person_id uuid NOT NULL CONSTRAINT identity__person_id__fkey REFERENCES person ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT identity__connector_subject__pkey PRIMARY KEY (connector, subject)
);
CREATE INDEX identity__person_id__idx ON identity (person_id);

CREATE TABLE organization (
  id uuid CONSTRAINT organization__id__pkey PRIMARY KEY,
  slug text NOT NULL CONSTRAINT organization__slug__unique UNIQUE,
  name text NOT NULL,
  -- The person whose private organization this is; one each, made at their first sign-in.
  personal_for uuid CONSTRAINT organization__personal_for__unique UNIQUE
    CONSTRAINT organization__personal_for__fkey REFERENCES person,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE organization_user (
  organization_id uuid NOT NULL
    CONSTRAINT organization_user__organization_id__fkey REFERENCES organization ON DELETE CASCADE,
  person_id uuid NOT NULL CONSTRAINT organization_user__person_id__fkey REFERENCES person ON DELETE CASCADE,
  role text NOT NULL CONSTRAINT organization_user__role__check CHECK (role IN ('owner', 'admin', 'billing')),
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT organization_user__organization_id_person_id__pkey PRIMARY KEY (organization_id, person_id)
);
CREATE INDEX organization_user__person_id__idx ON organization_user (person_id);

CREATE TABLE plan (
  id uuid CONSTRAINT plan__id__pkey PRIMARY KEY,
  name text NOT NULL CONSTRAINT plan__name__unique UNIQUE,
  display_name text NOT NULL,
  -- ResourceQuota `hard` of each project, and the limits of its LimitRange.
  project_quota jsonb NOT NULL,
  limit_range jsonb NOT NULL,
  max_projects integer NOT NULL CONSTRAINT plan__max_projects__check CHECK (max_projects > 0),
  isolation text NOT NULL DEFAULT 'shared'
    CONSTRAINT plan__isolation__check CHECK (isolation IN ('shared', 'dedicated')),
  retired_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE workspace (
  id uuid CONSTRAINT workspace__id__pkey PRIMARY KEY,
  organization_id uuid NOT NULL CONSTRAINT workspace__organization_id__fkey REFERENCES organization,
  slug text NOT NULL,
  name text NOT NULL,
  plan_id uuid NOT NULL CONSTRAINT workspace__plan_id__fkey REFERENCES plan,
  -- generation counts changes that concern the cluster; observed_generation is the last one that
  -- rbac-sync has verified there.
  generation bigint NOT NULL DEFAULT 1,
  observed_generation bigint NOT NULL DEFAULT 0,
  conditions jsonb NOT NULL DEFAULT '[]',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT workspace__organization_id_slug__unique UNIQUE (organization_id, slug)
);

CREATE TABLE workspace_member (
  workspace_id uuid NOT NULL
    CONSTRAINT workspace_member__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  person_id uuid NOT NULL CONSTRAINT workspace_member__person_id__fkey REFERENCES person ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT workspace_member__workspace_id_person_id__pkey PRIMARY KEY (workspace_id, person_id)
);
CREATE INDEX workspace_member__person_id__idx ON workspace_member (person_id);

CREATE TABLE workspace_group (
  id uuid CONSTRAINT workspace_group__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL
    CONSTRAINT workspace_group__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  -- Never changes: tokens and bindings meet in it.
  name text NOT NULL
    CONSTRAINT workspace_group__name__check CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
  display_name text NOT NULL,
  parent_id uuid CONSTRAINT workspace_group__parent_id__check CHECK (parent_id <> id),
  preset boolean NOT NULL DEFAULT false,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT workspace_group__workspace_id_id__unique UNIQUE (workspace_id, id),
  CONSTRAINT workspace_group__workspace_id_parent_id__fkey FOREIGN KEY (workspace_id, parent_id)
    REFERENCES workspace_group (workspace_id, id)
);
CREATE UNIQUE INDEX workspace_group__workspace_id_name__unique ON workspace_group (workspace_id, lower(name));
CREATE INDEX workspace_group__parent_id__idx ON workspace_group (parent_id);

-- The primary key is the order in which the issuer asks: this workspace, this person.
CREATE TABLE group_member (
  workspace_id uuid NOT NULL,
  person_id uuid NOT NULL,
  group_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT group_member__workspace_id_person_id_group_id__pkey PRIMARY KEY (workspace_id, person_id, group_id),
  CONSTRAINT group_member__workspace_id_person_id__fkey FOREIGN KEY (workspace_id, person_id)
    REFERENCES workspace_member (workspace_id, person_id) ON DELETE CASCADE,
  CONSTRAINT group_member__workspace_id_group_id__fkey FOREIGN KEY (workspace_id, group_id)
    REFERENCES workspace_group (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX group_member__group_id__idx ON group_member (group_id);

CREATE TABLE project (
  id uuid CONSTRAINT project__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL CONSTRAINT project__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  name text NOT NULL
    CONSTRAINT project__name__check CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  display_name text NOT NULL,
  -- Overrides single resources of the plan's project quota, never above it.
  quota jsonb,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT project__workspace_id_id__unique UNIQUE (workspace_id, id),
  CONSTRAINT project__workspace_id_name__unique UNIQUE (workspace_id, name)
);

CREATE TABLE project_role (
  id uuid CONSTRAINT project_role__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL,
  project_id uuid NOT NULL,
  name text NOT NULL,
  rules jsonb NOT NULL,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT project_role__workspace_id_project_id_id__unique UNIQUE (workspace_id, project_id, id),
  CONSTRAINT project_role__project_id_name__unique UNIQUE (project_id, name),
  CONSTRAINT project_role__workspace_id_project_id__fkey FOREIGN KEY (workspace_id, project_id)
    REFERENCES project (workspace_id, id) ON DELETE CASCADE
);

-- A role given to a group: a preset in the workspace (no project) or in a project, or a project's own role.
CREATE TABLE role_assignment (
  id uuid CONSTRAINT role_assignment__id__pkey PRIMARY KEY,
  workspace_id uuid NOT NULL
    CONSTRAINT role_assignment__workspace_id__fkey REFERENCES workspace ON DELETE CASCADE,
  group_id uuid NOT NULL,
  project_id uuid,
  project_role_id uuid,
  preset_role text
    CONSTRAINT role_assignment__preset_role__check CHECK (preset_role IN ('workspace-admin', 'workspace-viewer')),
  -- The binding of workspace-admin to WSAdmins, which no one removes.
  preset boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT role_assignment__role__check CHECK (num_nonnulls(project_role_id, preset_role) = 1),
  CONSTRAINT role_assignment__project_id__check CHECK (project_role_id IS NULL OR project_id IS NOT NULL),
  CONSTRAINT role_assignment__grant__unique
    UNIQUE NULLS NOT DISTINCT (workspace_id, group_id, project_id, project_role_id, preset_role),
  CONSTRAINT role_assignment__workspace_id_group_id__fkey FOREIGN KEY (workspace_id, group_id)
    REFERENCES workspace_group (workspace_id, id) ON DELETE CASCADE,
  CONSTRAINT role_assignment__workspace_id_project_id__fkey FOREIGN KEY (workspace_id, project_id)
    REFERENCES project (workspace_id, id) ON DELETE CASCADE,
  CONSTRAINT role_assignment__project_role_id__fkey FOREIGN KEY (workspace_id, project_id, project_role_id)
    REFERENCES project_role (workspace_id, project_id, id) ON DELETE CASCADE
);
CREATE INDEX role_assignment__group_id__idx ON role_assignment (group_id);
