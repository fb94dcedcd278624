import { afterAll } from '@jest/globals';

// slonik's logger (roarr) listens on the standard output of the process as soon as it is loaded. Jest loads it anew for
// each test file, in a process that outlives them all: after ten files Node would warn of a leak.
afterAll(() => globalThis.ROARR?.teardown?.());
