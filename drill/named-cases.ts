/** Cases that have found something, and what it was: they are drilled whenever a few are. */
export const namedCases: Readonly<Record<string, string>> = {
  'undo-rm-11/unbind-url/parked':
    'the URL was taken away by another attempt, behind the wait for the dynos that start without it: the run said `undone` while the app was still restarting',
};
