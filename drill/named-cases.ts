/** Cases that have found something, and what it was: they are drilled whenever a few are. */
export const namedCases: Readonly<Record<string, string>> = {
  'undo-rm-11/unbind-url/parked':
    'the URL was taken away by another attempt, behind the wait for the dynos that start without it: the run said `undone` while the app was still restarting',
  'rotation-owner/rotate-credential/postgres-killed':
    'the stand-in left the credential `rotating` for ever once its database had ended in the middle: the platform goes on',
  'staging-soak/fence-rehearsal/postgres-killed':
    'a fence that finds the database away keeps its numbers in the run, and makes no table: the drill took that for lost effects',
  'kill-switch/revoke-grants/parked':
    'the way back went on, and the platform took the privileges along with the role: the drill took that for doubled effects',
  'kill-switch/unbind-url/parked':
    "the platform keeps a credential while its URL is attached, so that its own step parks too: the drill took that for the runbook's need of a person",
  'cutover/confirm-rm-11/parked':
    'who had sent an approval was asked beside the step, and its line hid the step in the diary: nothing was refused',
  'cutover/survey-rm-11/undoing':
    'the survey left a dyno, which the way back stopped: the drill took that for a doubled effect',
};
