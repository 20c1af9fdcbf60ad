/** What a change in a cluster opened: rights, and to whom; or room beyond a limit. Pure. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { DriftOpening } from '#domain/drift.ts';
import {
  MANAGED_BY_LABEL,
  type ManagedObject,
  namespaceOf,
  type RoleRef,
} from '#domain/kubernetes-objects.ts';
import { parseQuantity } from '#domain/quantity.ts';
import type { ObservedObject } from '../cluster/object-store.ts';

/** What {@link listOpenings} looks at. */
export type OpeningInput = {
  /** As it should be; `undefined` for what isn't ours. */
  readonly desired: ManagedObject | undefined;
  /** As it is; `undefined` when it is gone. */
  readonly observed: ObservedObject | undefined;
  /** The rules of a role, ours or another's, as they are now. */
  readonly rulesOf: (role: RoleRef, namespace: string | undefined) => readonly unknown[];
  /** The bindings, ours and others', that give a role in a namespace. */
  readonly bindingsOf: (role: RoleRef, namespace: string | undefined) => readonly ObservedObject[];
};

const MOST = 20;
const MOST_RULES = 5;
const LONGEST_NAME = 200;
const LONGEST_LIST = 8;

/** The first twenty things that someone can do now and could not, were everything as it should be. */
export const listOpenings = (input: OpeningInput): DriftOpening[] =>
  list(input)
    .slice(0, MOST)
    .map((opening) => ({ ...opening, sentence: opening.sentence.slice(0, 600) }));

const list = (input: OpeningInput): DriftOpening[] => {
  const kind = (input.desired ?? input.observed)?.kind;
  switch (kind) {
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return openedByBinding(input);
    case 'Role':
    case 'ClusterRole':
      return openedByRole(input);
    case 'ResourceQuota':
      return openedByQuota(input);
    case 'Namespace':
      return openedByNamespace(input);
    case 'LimitRange':
      return [ofNamespace(input, 'Containers may ask for more than the plan’s limits')];
    case 'NetworkPolicy':
      return [ofNamespace(input, 'Pods of other projects may reach those of this one')];
    default:
      return [];
  }
};

const Subject = z.object({
  kind: z.string(),
  name: z.string(),
  namespace: z.string().optional(),
});
type Subject = z.infer<typeof Subject>;

const subjectsOf = (object: object | undefined): Subject[] =>
  z.array(Subject).safeParse(Reflect.get(object ?? {}, 'subjects')).data ?? [];

const Reference = z.object({ kind: z.enum(['Role', 'ClusterRole']), name: z.string() });

const roleOf = (object: object | undefined): RoleRef | undefined => {
  const parsed = Reference.safeParse(Reflect.get(object ?? {}, 'roleRef'));
  return parsed.success ? { apiGroup: 'rbac.authorization.k8s.io', ...parsed.data } : undefined;
};

/** A role that was taken away opens nothing: only whom it should not be given to counts. */
const openedByBinding = ({ desired, observed, rulesOf }: OpeningInput): DriftOpening[] => {
  const role = roleOf(observed);
  if (!observed || !role) return [];
  const sameRole = desired !== undefined && isDeepStrictEqual(role, roleOf(desired));
  const meant = sameRole ? subjectsOf(desired) : [];
  const gained = subjectsOf(observed).filter(
    (each) => !meant.some((other) => isSameSubject(each, other)),
  );
  const { namespace } = observed.metadata;
  return gained.map((subject) => toOpening(subject, { role, namespace }, rulesOf(role, namespace)));
};

const isSameSubject = (a: Subject, b: Subject): boolean =>
  a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;

/** What a role holds beyond what it should, for everyone whom a binding gives it to. */
const openedByRole = ({ desired, observed, bindingsOf }: OpeningInput): DriftOpening[] => {
  if (!observed) return [];
  const meant = toRules(Reflect.get(desired ?? {}, 'rules'));
  const rules = toRules(observed['rules']).filter(
    (rule) => !meant.some((other) => isDeepStrictEqual(rule, other)),
  );
  if (rules.length === 0) return [];
  const { name, namespace } = observed.metadata;
  const kind = observed.kind === 'Role' ? 'Role' : 'ClusterRole';
  const role: RoleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name };
  const given = bindingsOf(role, namespace).flatMap((binding) =>
    subjectsOf(binding).map((subject) =>
      toOpening(subject, { role, namespace: binding.metadata.namespace }, rules),
    ),
  );
  return [...given, ...aggregated(observed, rules)];
};

const AGGREGATES = /^rbac\.authorization\.k8s\.io\/aggregate-to-(admin|edit|view)$/;

/** A ClusterRole with such a label adds its rules to a built-in one that people hold. */
const aggregated = (observed: ObservedObject, rules: readonly Rule[]): DriftOpening[] =>
  Object.entries(observed.metadata.labels ?? {}).flatMap(([label, value]) => {
    const [, built] = AGGREGATES.exec(label) ?? [];
    if (built === undefined || value !== 'true') return [];
    return [
      {
        sentence: `Everyone who holds the ClusterRole ${built} may ${describeRules(rules)}`,
        subject: null,
        namespace: null,
        role: `ClusterRole ${built}`,
        rules: rules.slice(0, MOST_RULES),
      },
    ];
  });

const toOpening = (
  subject: Subject,
  { role, namespace }: { role: RoleRef; namespace: string | undefined },
  rules: readonly unknown[],
): DriftOpening => {
  const held = toRules(rules);
  const name = subject.name.slice(0, LONGEST_NAME);
  const where = namespace === undefined ? 'in the whole cluster' : `in ${namespace}`;
  const what = held.length > 0 ? describeRules(held) : 'do nothing: the role has no rules';
  return {
    sentence: `${subject.kind} ${name} may, by the ${role.kind} ${role.name.slice(0, LONGEST_NAME)} ${where}, ${what}`,
    subject: {
      kind: subject.kind.slice(0, LONGEST_NAME),
      name,
      namespace: subject.namespace?.slice(0, LONGEST_NAME) ?? null,
    },
    namespace: namespace ?? null,
    role: `${role.kind} ${role.name.slice(0, LONGEST_NAME)}`,
    rules: held.slice(0, MOST_RULES),
  };
};

type Rule = DriftOpening['rules'][number];

/** A field that is left out means what null means. */
const Names = z
  .array(z.string())
  .nullish()
  .transform((names) =>
    (names ?? []).slice(0, LONGEST_LIST).map((name) => name.slice(0, LONGEST_NAME)),
  );
const RuleShape = z.object({
  verbs: Names,
  apiGroups: Names,
  resources: Names,
  resourceNames: Names,
});

const toRules = (rules: unknown): Rule[] =>
  z
    .array(RuleShape)
    .safeParse(rules ?? [])
    .data?.filter(({ verbs }) => verbs.length > 0) ?? [];

const describeRules = (rules: readonly Rule[]): string => {
  const shown = rules.slice(0, 3).map(({ verbs, resources }) => {
    const on = resources.length > 0 ? resources.join(', ') : 'addresses of the API server';
    return `${verbs.join(', ')} ${on}`;
  });
  const more = rules.length > shown.length ? ['and more'] : [];
  return [...shown, ...more].join('; ');
};

/** The sentence of what is open to everyone who uses a namespace. */
const ofNamespace = ({ desired, observed }: OpeningInput, what: string): DriftOpening => {
  const object = desired ?? observed;
  const namespace = (object && namespaceOf(object)) ?? null;
  return {
    sentence: `${what}${namespace === null ? '' : ` in ${namespace}`}`,
    subject: null,
    namespace,
    role: null,
    rules: [],
  };
};

const openedByQuota = (input: OpeningInput): DriftOpening[] => {
  const { desired, observed } = input;
  if (desired?.kind !== 'ResourceQuota') return [];
  if (!observed) return [ofNamespace(input, 'Nothing limits what is used')];
  const hard = Reflect.get(Object(observed['spec']), 'hard') as Record<string, unknown> | undefined;
  return Object.entries(desired.spec.hard).flatMap(([resource, limit]) => {
    const now = hard?.[resource];
    if (typeof now !== 'string') return [ofNamespace(input, `Nothing limits ${resource}`)];
    if ((parseQuantity(now) ?? 0n) <= (parseQuantity(limit) ?? 0n)) return [];
    return [
      ofNamespace(input, `Up to ${now.slice(0, 40)} ${resource} instead of ${limit} may be used`),
    ];
  });
};

const openedByNamespace = (input: OpeningInput): DriftOpening[] => {
  const { observed } = input;
  if (!observed || observed.metadata.labels?.[MANAGED_BY_LABEL]) return [];
  return [ofNamespace(input, 'The namespace’s own labels may be changed by whoever may change it')];
};
