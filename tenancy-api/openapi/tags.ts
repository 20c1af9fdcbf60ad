/** The chapters of the reference, by the nouns of paths: a route belongs to its path's last noun. */
const TAGS = {
  me: { name: 'You', description: 'Who you are here, and where you belong.' },
  connectors: {
    name: 'Connectors',
    description: 'The identity providers that people sign in with.',
  },
  organizations: {
    name: 'Organizations',
    description:
      'An organization pays and decides about the life of its workspaces. None of its roles opens a workspace.',
  },
  users: {
    name: 'Organization users',
    description: 'Owners, admins and billing users of an organization.',
  },
  plans: { name: 'Plans', description: 'What a workspace may have, and what that costs.' },
  workspaces: {
    name: 'Workspaces',
    description: 'A workspace is one virtual Kubernetes cluster with its members.',
  },
  groups: {
    name: 'Groups',
    description:
      'A tree. Members of a group are members of every group above it, and tokens carry all of these names.',
  },
  'group-mappings': {
    name: 'Group mappings',
    description: 'Groups of identity providers whose members are in groups here.',
  },
  members: { name: 'Members', description: 'Who belongs to a workspace and to its groups.' },
  people: {
    name: 'People',
    description: 'Everybody who has signed in or been added, platform-wide.',
  },
  'service-accounts': {
    name: 'Service accounts',
    description: 'Machines that hold roles through groups, as people do.',
  },
  secrets: {
    name: 'Service account secrets',
    description: 'Client secrets by which machines get tokens; each ends by itself.',
  },
  keys: {
    name: 'Service account keys',
    description: 'Public keys of machines that sign their requests for tokens.',
  },
  'federated-credentials': {
    name: 'Federated credentials',
    description:
      'Workload identity: whose tokens of other issuers are a machine’s, with no secret kept anywhere.',
  },
  imports: {
    name: 'Import and export',
    description: 'Groups and members of a whole organisation.',
  },
  projects: {
    name: 'Projects',
    description:
      'A tree of namespaces. What is given in a project holds in every project below it.',
  },
  roles: { name: 'Project roles', description: 'Namespaced roles of your own making.' },
  'role-assignments': {
    name: 'Role assignments',
    description: 'What a group may do in a project, or in the whole workspace.',
  },
  diffs: {
    name: 'Diffs',
    description:
      'What would be changed in a cluster just now: a dry run of what goes on by itself.',
  },
  drift: {
    name: 'Drift',
    description:
      'What was changed in a cluster past the platform: by whom, what it opened, what was done.',
  },
  tasks: { name: 'Tasks', description: 'What goes on in a cluster after an answer 202.' },
  'openapi.json': { name: 'This description', description: 'The API about itself.' },
} as const;

type Noun = keyof typeof TAGS;

/** Paths whose last part is no noun of its own. */
const ALIASES: Readonly<Record<string, Noun>> = {
  'drift-mode': 'drift',
  membership: 'members',
  export: 'imports',
  'project-role-templates': 'roles',
};

/** All tags, in the order in which they are shown. */
export const TAG_LIST = Object.values(TAGS);

/** The tag of a path. @throws when it holds no known noun: a new noun needs a chapter here */
export const toTag = (path: string): string => {
  const nouns = path.split('/').map((part) => ALIASES[part] ?? part);
  const noun = nouns.findLast((part): part is Noun => Object.hasOwn(TAGS, part));
  if (noun === undefined) throw new Error(`${path} belongs to no chapter of the reference`);
  return TAGS[noun].name;
};
