import { z } from 'zod';

/** Which credential of the target is rotated: the add-on's default one, or the restricted one. */
export const rotatedCredential = z.enum(['owner', 'role'], {
  // Zod's own words repeat what was sent: somebody may have taken the field for the password itself.
  errorMap: () => ({ message: 'owner or role' }),
});
export type RotatedCredential = z.infer<typeof rotatedCredential>;

/** A config var that holds the credential's URL. */
const binding = z.object({
  app: z.string(),
  variable: z.string(),
  /** `attachment`: the platform changes it. `copy`: somebody has set it, and the platform leaves it stale. */
  by: z.enum(['attachment', 'copy']),
});
export type Binding = z.infer<typeof binding>;

/** What a rotation rests on, and what its approvers sign. */
export const rotationFacts = z.object({
  app: z.string(),
  targetDigest: z.string(),
  which: rotatedCredential,
  /** As the platform names it: `default` is the owner. */
  credential: z.string(),
  addonId: z.string(),
  addon: z.string(),
  plan: z.string(),
  /**
   * Tells one URL of the credential from the next: a slow, salted digest of it, good within one run only. Nobody gets from
   * it to the password.
   */
  fingerprint: z.string(),
  /** Every variable that will have to change, in this app and in others. */
  bindings: z.array(binding),
  /** Other apps on the add-on whose variables the worker's token may not read. */
  unreadable: z.array(z.string()),
  /** Whether the app is to be connected as the restricted role. */
  asRole: z.boolean(),
});
export type RotationFacts = z.infer<typeof rotationFacts>;

/** The plan of a rotation. */
export const rotationPlan = z.object({
  facts: rotationFacts,
  /** Shown beside the facts and not bound: who is connected, by user. */
  observations: z.object({
    sessions: z.array(z.object({ user: z.string(), sessions: z.number().int() })),
    dynos: z.array(z.string()),
    release: z.number().int(),
    releaseCommand: z.string().nullable(),
  }),
  digest: z.string(),
});
export type RotationPlan = z.infer<typeof rotationPlan>;

/** A binding as people read it. */
export const bindingText = ({ app, variable, by }: Binding): string =>
  `${variable} of ${app}${by === 'copy' ? ' (a copy)' : ''}`;

/** Variables that neither the platform nor the runbook will change: they hold a password that ends. */
export function staleCopies({ app, bindings }: RotationFacts): Binding[] {
  return bindings.filter((one) => one.by === 'copy' && one.app !== app);
}

/** What whoever approves a rotation should have read, a sentence each. */
export function rotationHazards({ facts, observations }: RotationPlan): string[] {
  const { app, bindings, unreadable, asRole, which } = facts;
  const copies = bindings.filter((one) => one.by === 'copy' && one.app === app).map(({ variable }) => variable);
  return [
    ...staleCopies(facts).map(
      (one) => `${one.variable} of ${one.app} is a copy that nobody updates: ${one.app} loses the database with it`,
    ),
    ...unreadable.map((one) => `the variables of ${one} cannot be read: whether it holds a copy is not known`),
    ...(copies.length > 0 && observations.releaseCommand !== null
      ? [`${copies.join(', ')} is set by the runbook, and its release runs \`${observations.releaseCommand}\``]
      : []),
    ...(which === 'owner' && !asRole
      ? ['the app is connected as the owner: from the reset until its dynos are new it has no database']
      : []),
  ];
}

/** What the gate asks, for the person who answers it: a topic, and what is to be known of it. */
export function rotationTexts(plan: RotationPlan): [topic: string, text: string][] {
  const { facts, observations, digest } = plan;
  const { which, credential, addon, bindings, app } = facts;
  const others = [...new Set(bindings.map((one) => one.app))].filter((one) => one !== app);
  return [
    ['plan', digest.slice(0, 12)],
    ['reset', `the password of the ${which} (credential ${credential}) of ${addon} (${facts.plan})`],
    ['variables', bindings.map(bindingText).join(', ') || 'none'],
    ['apps', [`${app} restarts`, ...others.map((one) => `${one} restarts too`)].join(', ')],
    [
      'sessions',
      `those of the old password end; now ${observations.sessions.map(({ user, sessions }) => `${sessions} as ${user}`).join(', ') || 'none'}`,
    ],
    ...rotationHazards(plan).map((text): [string, string] => ['hazard', text]),
  ];
}
