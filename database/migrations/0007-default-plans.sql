-- Two plans to start with; a platform administrator makes others.
INSERT INTO plan (id, name, display_name, project_quota, limit_range, max_projects) VALUES
  (
    '01940000-0000-7000-8000-000000000001', 'starter', 'Starter',
    '{"requests.cpu": "2", "requests.memory": "4Gi", "limits.cpu": "4", "limits.memory": "8Gi", "pods": "20", "services": "10", "persistentvolumeclaims": "5", "requests.storage": "20Gi"}',
    '[{"type": "Container", "default": {"cpu": "500m", "memory": "512Mi"}, "defaultRequest": {"cpu": "100m", "memory": "128Mi"}}]',
    10
  ),
  (
    '01940000-0000-7000-8000-000000000002', 'team', 'Team',
    '{"requests.cpu": "16", "requests.memory": "64Gi", "limits.cpu": "32", "limits.memory": "128Gi", "pods": "200", "services": "50", "persistentvolumeclaims": "50", "requests.storage": "500Gi"}',
    '[{"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}, "defaultRequest": {"cpu": "100m", "memory": "128Mi"}}]',
    100
  );
