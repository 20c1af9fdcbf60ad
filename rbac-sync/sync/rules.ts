/** What RBAC rules allow, as the API server's RBAC authorizer decides it. Pure. */
import type { PolicyRule } from '#domain/policy-rule.ts';

/** A rule as clusters hold it: built-in roles have rules without resources. */
export type Rule = Partial<PolicyRule>;

/** One thing that someone may or may not do. */
export type Access = {
  readonly verb: string;
  readonly group: string;
  /** With its subresource after a slash, e.g. `pods/log`. */
  readonly resource: string;
  readonly name?: string | undefined;
};

/** Whether some rule allows it. */
export const allows = (rules: readonly Rule[], access: Access): boolean =>
  rules.some(
    (rule) =>
      includes(rule.verbs, access.verb) &&
      includes(rule.apiGroups, access.group) &&
      coversResource(rule.resources ?? [], access.resource) &&
      coversName(rule.resourceNames ?? [], access.name),
  );

/** Whether rules allow everything that others do. Wildcards are covered by wildcards only. */
export const covers = (rules: readonly Rule[], others: readonly Rule[]): boolean =>
  others.every(({ verbs = [], apiGroups = [], resources = [], resourceNames = [] }) =>
    resources.every((resource) =>
      apiGroups.every((group) =>
        verbs.every((verb) =>
          (resourceNames.length > 0 ? resourceNames : [undefined]).every((name) =>
            allows(rules, { verb, group, resource, name }),
          ),
        ),
      ),
    ),
  );

const includes = (values: readonly string[] = [], value: string): boolean =>
  values.includes('*') || values.includes(value);

const coversResource = (resources: readonly string[], resource: string): boolean => {
  const subresource = resource.split('/')[1];
  return (
    includes(resources, resource) ||
    (subresource !== undefined && resources.includes(`*/${subresource}`))
  );
};

const coversName = (names: readonly string[], name: string | undefined): boolean =>
  names.length === 0 || (name !== undefined && names.includes(name));

/** Accesses that the rules allow, enough to tell one role from another; wildcards by an example. */
export function* listAccesses(rules: readonly Rule[]): Generator<Access> {
  for (const { verbs = [], apiGroups = [], resources = [], resourceNames = [] } of rules) {
    for (const resource of resources) {
      for (const verb of verbs) {
        for (const group of apiGroups) {
          yield {
            verb: verb === '*' ? 'get' : verb,
            group: group === '*' ? '' : group,
            resource: resource.includes('*') ? 'pods' : resource,
            name: resourceNames[0],
          };
        }
      }
    }
  }
}
