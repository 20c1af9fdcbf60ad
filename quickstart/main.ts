/**
 * `npm run quickstart`: starts the whole platform on this machine, tells the main job on it, and
 * leaves it running until Ctrl-C. `-- --exit` stops after the story, with 1 if any step failed.
 */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { readSampleOrganization } from './sample-organization.ts';
import { startStack } from './stack.ts';
import { type StoryResult, tellStory } from './story.ts';
import { createTranscript, type Transcript } from './transcript.ts';

const ADMIN = 'ada';
const MEMBER = 'maya';

const run = async (exitAfterStory: boolean, stopped: Promise<void>): Promise<void> => {
  const transcript = createTranscript(process.stdout);
  const organization = await readSampleOrganization();
  const people = [ADMIN, ...new Set(organization.groups.flatMap((group) => group.members))];
  const password = randomBytes(6).toString('hex');
  transcript.say('Starting (the first time builds a Kubernetes control plane: about 5 minutes) …');
  await using stack = await startStack({
    accounts: people.map((subject) => ({ subject, name: capitalize(subject) })),
    password,
    preferredPorts: { issuer: 8443, api: 8080 },
    notify: (message) => transcript.say(`• ${message}`),
  });
  const telling = tellStory({
    stack,
    transcript,
    password,
    organization,
    admin: ADMIN,
    member: MEMBER,
    memberGroup: 'ingress-oncall',
    roleGroup: 'cloud',
  });
  const story = await Promise.race([telling, stopped]);
  if (exitAfterStory || !story) return;
  invite(transcript, { ...story, ...stack, password });
  await stopped;
  transcript.say('Stopping …');
};

type Leftovers = StoryResult & {
  readonly issuerUrl: string;
  readonly apiUrl: string;
  readonly directory: string;
  readonly certificateAuthorityPath: string;
  readonly command: string;
  readonly password: string;
};

const invite = (transcript: Transcript, left: Leftovers): void => {
  const kubeconfig = left.memberKubectl.kubeconfig;
  transcript.step('It is yours now, until Ctrl-C');
  transcript.say(`issuer     ${left.issuerUrl}  (authority: ${left.certificateAuthorityPath})`);
  transcript.say(`API        ${left.apiUrl}/reference  (and /v1/openapi.json)`);
  transcript.say(`logs       ${left.directory}/logs`);
  transcript.say(`accounts   ${ADMIN}, ${MEMBER}, grace, linus, … password ${left.password}`);
  transcript.say('Two things to try:');
  transcript.command(`kubectl --kubeconfig ${kubeconfig} -n shop get configmaps`);
  transcript.command(
    `kubectl --kubeconfig ${left.adminKubectl.kubeconfig} create clusterrole mine --verb=get --resource=pods  # refused, also for an admin`,
  );
  transcript.say('For docs/guide.md, in another terminal:');
  transcript.command(
    `export API=${left.apiUrl} ISSUER=${left.issuerUrl} CA=${left.certificateAuthorityPath} PATH="${dirname(left.command)}:$PATH"`,
  );
  transcript.say('With kubelogin installed, the same user in a kubeconfig is:');
  transcript.output(
    [
      'exec:',
      '  apiVersion: client.authentication.k8s.io/v1',
      '  interactiveMode: IfAvailable',
      '  command: kubectl',
      '  args:',
      '  - oidc-login',
      '  - get-token',
      `  - --oidc-issuer-url=${left.issuerUrl}`,
      `  - --oidc-client-id=${left.workspaceId}`,
      `  - --certificate-authority=${left.certificateAuthorityPath}`,
    ].join('\n'),
  );
};

const capitalize = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

const untilSignal = (): Promise<void> =>
  new Promise((resolve) => {
    let signalled = false;
    const onSignal = () => {
      if (signalled) process.exit(130);
      signalled = true;
      resolve();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });

const { values } = parseArgs({ options: { exit: { type: 'boolean', default: false } } });
try {
  await run(values.exit, untilSignal());
} catch (error) {
  process.stderr.write(
    `\nThe quickstart failed: ${error instanceof Error ? error.message : error}\n`,
  );
  process.exitCode = 1;
}
