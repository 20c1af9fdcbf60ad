import { describe, expect, it } from 'vitest';
import { PolicyRule, ProjectRoleName, refuseRules } from './policy-rule.ts';
import { ROLE_TEMPLATES } from './role-templates.ts';

describe('each template', () => {
  it.each(ROLE_TEMPLATES)('$name can be a project role as it is', ({ name, rules }) => {
    expect(ProjectRoleName.safeParse(name).success).toBe(true);
    for (const rule of rules) expect(PolicyRule.safeParse(rule).success).toBe(true);
    expect(refuseRules(rules)).toEqual([]);
  });

  it('has a name of its own and says what it is for', () => {
    expect(new Set(ROLE_TEMPLATES.map(({ name }) => name)).size).toBe(ROLE_TEMPLATES.length);
    for (const { description } of ROLE_TEMPLATES) expect(description).toMatch(/^[A-Z].{20,}\.$/);
  });
});

const holds = (name: string, resource: string, verb: string): boolean =>
  (ROLE_TEMPLATES.find((each) => each.name === name)?.rules ?? []).some(
    ({ resources, verbs }) => resources.includes(resource) && verbs.includes(verb),
  );

describe('a template holds what its description says', () => {
  it.each([
    ['viewer', 'deployments', 'list', true],
    ['viewer', 'pods/log', 'get', false],
    ['viewer', 'deployments', 'patch', false],
    ['log-reader', 'pods/log', 'get', true],
    ['log-reader', 'configmaps', 'get', false],
    ['debugger', 'pods/exec', 'create', true],
    ['debugger', 'pods', 'delete', false],
    ['config-editor', 'configmaps', 'update', true],
    ['ci', 'jobs', 'create', true],
    ['ci', 'deployments', 'patch', false],
    ['deployer', 'deployments', 'patch', true],
    ['deployer', 'pods/exec', 'create', false],
    ['developer', 'secrets', 'get', true],
    ['developer', 'pods/exec', 'create', true],
  ])('%s: %s %s is %s', (name, resource, verb, expected) => {
    expect(holds(name, resource, verb)).toBe(expected);
  });

  it('and only a developer’s reads secrets', () => {
    const readers = ROLE_TEMPLATES.filter(({ name }) => holds(name, 'secrets', 'get'));
    expect(readers.map(({ name }) => name)).toEqual(['developer']);
  });
});
