import { createHerokuClient } from '../../activities/clients/heroku.ts';
import type { Platform } from '../platform.ts';

/** The platform as somebody with the official client has it. */
export function person({ heroku }: Platform) {
  return createHerokuClient({ apiUrl: heroku.url, dataUrl: heroku.url, token: heroku.token });
}
