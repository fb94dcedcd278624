import { DateTime, IANAZone } from 'luxon';
import { z } from 'zod';

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day as in 22:30');
const instant = z
  .string()
  .refine((text) => DateTime.fromISO(text, { setZone: true }).isValid && /(Z|[+-]\d\d:\d\d)$/.test(text), {
    message: 'a moment with its offset, as in 2026-12-20T00:00:00Z',
  });

/** A time of the week in which writes may begin. One that ends before it begins ends on the next day. */
export const changeWindow = z
  .object({
    days: z.array(z.enum(days)).min(1),
    from: timeOfDay,
    to: timeOfDay,
    timeZone: z.string().refine((zone) => IANAZone.isValidZone(zone), 'a time zone as in Europe/Oslo or UTC'),
  })
  .strict()
  .refine(({ from, to }) => from !== to, { message: 'begins and ends at the same time', path: ['to'] });
export type ChangeWindow = z.infer<typeof changeWindow>;

/** A stretch of time in which no write may begin. */
export const freeze = z
  .object({ from: instant, to: instant, reason: z.string().min(1).max(200) })
  .strict()
  .refine(({ from, to }) => DateTime.fromISO(from) < DateTime.fromISO(to), {
    message: 'ends before it begins',
    path: ['to'],
  });
export type Freeze = z.infer<typeof freeze>;

/** Whether writes may begin, and else when they next may. */
export type WindowState =
  { readonly open: true } | { readonly open: false; readonly opensAt: number; readonly why: string };

/** Days that are searched for the next opening: a freeze may be long, but one past this is as good as for ever. */
const searchedDays = 400;

/**
 * Whether writes may begin at a moment. Clock changes are the time zone's: a window from 02:30 to 03:30 is short, or not
 * there at all, in the night in which that hour is skipped.
 *
 * @param now milliseconds since 1970
 */
export function windowAt(windows: readonly ChangeWindow[], freezes: readonly Freeze[], now: number): WindowState {
  const frozen = freezes.find((one) => millis(one.from) <= now && now < millis(one.to));
  const openings = windows.length === 0 ? undefined : openingsFrom(windows, now);
  const isOpen = openings === undefined || openings.some(({ from, to }) => from <= now && now < to);
  if (frozen === undefined && isOpen) return { open: true };

  const opensAt = nextOpening(openings, freezes, now);
  const why = frozen === undefined ? 'outside the change windows' : `a freeze until ${frozen.to}: ${frozen.reason}`;
  return { open: false, opensAt, why: `${why}; writes may begin at ${new Date(opensAt).toISOString()}` };
}

interface Opening {
  readonly from: number;
  readonly to: number;
}

/** Every opening of the searched days, in order; those that began yesterday too, for they may still be open. */
function openingsFrom(windows: readonly ChangeWindow[], now: number): Opening[] {
  return windows
    .flatMap((window) => {
      const [fromHour = 0, fromMinute = 0] = window.from.split(':').map(Number);
      const [toHour = 0, toMinute = 0] = window.to.split(':').map(Number);
      const today = DateTime.fromMillis(now, { zone: window.timeZone }).startOf('day');
      return Array.from({ length: searchedDays }, (_, index) => today.plus({ days: index - 1 }))
        .filter((day) => window.days.includes(days[day.weekday - 1] ?? 'mon'))
        .map((day) => {
          const lastDay = window.to < window.from ? day.plus({ days: 1 }) : day;
          return {
            from: day.set({ hour: fromHour, minute: fromMinute }).toMillis(),
            to: lastDay.set({ hour: toHour, minute: toMinute }).toMillis(),
          };
        });
    })
    .filter(({ from, to }) => from < to && to > now)
    .sort((a, b) => a.from - b.from);
}

/** The first moment from now on that is inside an opening and outside every freeze. */
function nextOpening(openings: readonly Opening[] | undefined, freezes: readonly Freeze[], now: number): number {
  const candidates = openings ?? [{ from: now, to: Infinity }];
  for (const { from, to } of candidates) {
    let at = Math.max(from, now);
    // A freeze may end inside another one.
    for (let moved = true; moved;) {
      const over = freezes.find((one) => millis(one.from) <= at && at < millis(one.to));
      moved = over !== undefined;
      if (over !== undefined) at = millis(over.to);
    }
    if (at < to) return at;
  }
  return now + searchedDays * 86_400_000;
}

function millis(text: string): number {
  return DateTime.fromISO(text).toMillis();
}
