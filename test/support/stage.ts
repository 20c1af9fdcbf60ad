/** A place of its own for each test in a workspace that they share: a project with two groups, and what these get. */
import { randomBytes } from 'node:crypto';
import {
  aGroup,
  anAssignment,
  aProject,
  aProjectRole,
  type Statement,
  type WorkspaceRows,
} from './workspace-rows.ts';

/** The names of the project and of its two groups. */
export type Stage = {
  readonly workspaceId: string;
  readonly project: string;
  readonly one: string;
  readonly two: string;
};

/** What a stage is set up with besides. */
export type Prop = (stage: Stage) => Statement[];

/** Makes a stage, and resolves once it is in force. */
export const aStage = async (workspace: WorkspaceRows, ...props: Prop[]): Promise<Stage> => {
  const { id } = workspace;
  const suffix = randomBytes(4).toString('hex');
  const stage = {
    workspaceId: id,
    project: `p-${suffix}`,
    one: `one-${suffix}`,
    two: `two-${suffix}`,
  };
  await workspace.change(
    'project.create',
    aProject(id, stage.project),
    aGroup(id, stage.one),
    aGroup(id, stage.two),
    ...props.flatMap((prop) => prop(stage)),
  );
  return stage;
};

/** Getting some resources of the core API. */
export const rule = (...resources: string[]) => ({ apiGroups: [''], resources, verbs: ['get'] });

/** A role in the stage's project that gets these resources. */
export const aRole =
  (name: string, ...resources: string[]): Prop =>
  ({ workspaceId, project }) => [aProjectRole(workspaceId, project, name, [rule(...resources)])];

/** A role of the stage's project for its groups. */
export const given =
  (role: string, ...to: ('one' | 'two')[]): Prop =>
  (stage) =>
    to.map((each) => anAssignment(stage.workspaceId, stage[each], stage.project, role));

/** A statement after which a role gets these resources and no others. */
export const rulesOf = (
  workspaceId: string,
  project: string,
  role: string,
  ...resources: string[]
): Statement => [
  `UPDATE project_role r SET rules = $4 FROM project p
   WHERE p.id = r.project_id AND p.workspace_id = $1 AND p.name = $2 AND r.name = $3`,
  workspaceId,
  project,
  role,
  JSON.stringify([rule(...resources)]),
];
