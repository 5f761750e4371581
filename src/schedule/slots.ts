/**
 * The slots of a cron expression on a zone's wall clock, as pure arithmetic on instants. What the fields mean is node-cron's
 * word (its `parse`, and its `match` for `L`, `W` and `#`); what a clock change does is ours:
 *
 * - Fixed hours (`30 7 * * *`, also `0 9-17 * * *` and a stepped hour field): one slot for each local time of each matching date. A
 *   time that the clock skips moves forward by the gap, one that it repeats counts the first time, as Temporal's `compatible` does.
 * - Every hour (an hour field that names all 24, as in `0 * * * *`): elapsed time. Every instant whose local minute matches is a
 *   slot: both passes of a repeated hour, none of a skipped one.
 *
 * Slots that fall on one instant count once.
 */
import cron, { type ParsedFields } from 'node-cron';
import { DAY, HOUR, MINUTE, wallClock } from '../lib/time.ts';

/** Beyond eight years nothing is looked for: 29 February has then come, across 2100 too. */
const HORIZON = [2 * DAY, 40 * DAY, 400 * DAY, 2_930 * DAY];

/**
 * All slots with `after < slot <= until`, ascending.
 * @param expression five fields: minute, hour, day of month, month, day of week
 * @param zone IANA time zone
 * @throws Error where node-cron refuses the expression
 */
export function slotsBetween(expression: string, zone: string, after: number, until: number): number[] {
  if (until <= after) return [];
  const pattern = compile(expression);
  // A skipped local time moves forward by up to a day (Samoa, 2011), and a repeated midnight steps back over the date.
  const stretches = stretchesOver(zone, after - 3 * DAY, until + 3 * DAY);
  const slots = pattern.everyHour
    ? slotsByElapsedTime(pattern, stretches, after, until)
    : slotsByWallClock(pattern, stretches, after, until);
  return slots.sort((a, b) => a - b).filter((slot, index) => slot !== slots[index - 1]);
}

/**
 * The first slot after an instant, or null where there is none within about eight years.
 * @throws Error where node-cron refuses the expression
 */
export function nextSlot(expression: string, zone: string, after: number): number | null {
  let from = after;
  for (const span of HORIZON) {
    const [first] = slotsBetween(expression, zone, from, after + span);
    if (first !== undefined) return first;
    from = after + span;
  }
  return null;
}

interface Pattern {
  /** Since local midnight, in milliseconds. */
  times: number[];
  everyHour: boolean;
  /** @param day days since 1970-01-01 on the local calendar */
  matchesDay(day: number): boolean;
}

const compiled = new Map<string, Pattern>();

function compile(expression: string): Pattern {
  const known = compiled.get(expression);
  if (known !== undefined) return known;
  const fields = cron.parse(expression);
  const texts = expression.trim().split(/\s+/);
  if (texts.length !== 5) throw new Error(`"${expression}" must have five fields: minute hour day month weekday`);
  const hours = [...new Set(fields.hour)];
  const pattern: Pattern = {
    times: hours.flatMap((hour) => [...new Set(fields.minute)].map((minute) => hour * HOUR + minute * MINUTE)),
    everyHour: hours.length === 24,
    matchesDay: dayMatcher(fields, texts.slice(2).join(' ')),
  };
  if (compiled.size >= 200) compiled.clear();
  compiled.set(expression, pattern);
  return pattern;
}

// Plain numbers are looked up; of `L`, `W` and `#` node-cron itself says whether they match, asked for midnight in UTC, which
// takes it a hundred times as long. Its task never starts and leaves its registry at once.
function dayMatcher(fields: ParsedFields, text: string): (day: number) => boolean {
  const months = new Set(fields.month);
  const { dayOfMonth, dayOfWeek } = fields;
  const dates = dayOfMonth.every((value) => typeof value === 'number') ? new Set<unknown>(dayOfMonth) : null;
  const weekdays = dayOfWeek.every((value) => typeof value === 'number') ? new Set<unknown>(dayOfWeek) : null;
  const task = cron.createTask(`0 0 ${text}`, () => {}, { timezone: 'UTC' });
  task.destroy();
  return (day) => {
    const date = new Date(day * DAY);
    if (!months.has(date.getUTCMonth() + 1)) return false;
    if (dates !== null && !dates.has(date.getUTCDate())) return false;
    if (weekdays !== null && !weekdays.has(date.getUTCDay())) return false;
    return (dates !== null && weekdays !== null) || task.match(date);
  };
}

/** A stretch of time over which the zone's offset from UTC stands still. */
interface Stretch {
  from: number;
  until: number;
  offset: number;
}

function stretchesOver(zone: string, from: number, until: number): Stretch[] {
  const stretches: Stretch[] = [];
  let start = Number.NEGATIVE_INFINITY;
  let clock = wallClock(from, zone);
  for (;;) {
    const offset = clock.offsetNanoseconds / 1e6;
    const next = clock.getTimeZoneTransition('next');
    if (next === null || next.epochMilliseconds > until) {
      stretches.push({ from: start, until: Number.POSITIVE_INFINITY, offset });
      return stretches;
    }
    stretches.push({ from: start, until: next.epochMilliseconds, offset });
    start = next.epochMilliseconds;
    clock = next;
  }
}

function slotsByElapsedTime(pattern: Pattern, stretches: Stretch[], after: number, until: number): number[] {
  const slots: number[] = [];
  for (const { offset, ...stretch } of stretches) {
    // Both bounds are inclusive from here on.
    const first = Math.max(stretch.from, after + 1);
    const last = Math.min(stretch.until - 1, until);
    if (first > last) continue;
    for (const local of localTimes(pattern, first + offset, last + offset)) {
      const instant = local - offset;
      if (instant >= first && instant <= last) slots.push(instant);
    }
  }
  return slots;
}

function slotsByWallClock(pattern: Pattern, stretches: Stretch[], after: number, until: number): number[] {
  const slots: number[] = [];
  const begin = after + (stretches[0] as Stretch).offset - 2 * DAY;
  const end = until + (stretches.at(-1) as Stretch).offset + 2 * DAY;
  for (const local of localTimes(pattern, begin, end)) {
    const instant = instantOf(local, stretches);
    if (instant > after && instant <= until) slots.push(instant);
  }
  return slots;
}

/** The pattern's times on every matching date that `[first, last]` touches; local times as if they were UTC. */
function localTimes(pattern: Pattern, first: number, last: number): number[] {
  const times: number[] = [];
  for (let day = Math.floor(first / DAY); day <= Math.floor(last / DAY); day++) {
    if (!pattern.matchesDay(day)) continue;
    for (const time of pattern.times) times.push(day * DAY + time);
  }
  return times;
}

// The first stretch that holds the local time; where none does, it was skipped, and the offset before the change moves it on.
function instantOf(local: number, stretches: Stretch[]): number {
  let before = (stretches[0] as Stretch).offset;
  for (const { from, until, offset } of stretches) {
    const instant = local - offset;
    if (instant >= until) before = offset;
    else return instant >= from ? instant : local - before;
  }
  return local - before;
}
