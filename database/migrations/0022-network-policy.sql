-- A plan says who reaches the pods of a project: anyone in the cluster, or its project tree only.
ALTER TABLE plan ADD COLUMN network_policy text NOT NULL DEFAULT 'none'
  CONSTRAINT plan__network_policy__check CHECK (network_policy IN ('none', 'isolate'));

DROP TRIGGER plan__limits__trigger ON plan;
CREATE TRIGGER plan__limits__trigger AFTER UPDATE ON plan
  FOR EACH ROW
  WHEN (
    (OLD.project_quota, OLD.limit_range, OLD.network_policy)
      IS DISTINCT FROM (NEW.project_quota, NEW.limit_range, NEW.network_policy)
  )
  EXECUTE FUNCTION raise_generations_of_plan();

-- Namespaces are labelled with their organization now: a change of ours, which is no drift.
UPDATE workspace SET generation = generation + 1;
