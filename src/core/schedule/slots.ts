/**
 * The slots of a cron expression on a zone's wall clock, as arithmetic on instants. Pure. node-cron defines the meaning
 * of the fields (its `parse`, and its `match` for `L`, `W` and `#`). Clock changes are handled here:
 *
 * - Fixed hours (`30 7 * * *`, also `0 9-17 * * *` and a stepped hour field): one slot for each local time of each
 *   matching date. A skipped local time moves forward by the gap, and a repeated one counts the first time, as with
 *   Temporal's `compatible`.
 * - Every hour (an hour field with all 24, as in `0 * * * *`): every instant whose local minute matches, so both passes
 *   of a repeated hour and none of a skipped one.
 *
 * Slots at the same instant count once.
 */
import cron, { type ParsedFields } from 'node-cron';
import { DAY, HOUR, MINUTE, wallClock } from '../../lib/time.ts';

/** Spans to search. Within eight years 29 February comes, across 2100 too. */
const HORIZON = [2 * DAY, 40 * DAY, 400 * DAY, 2_930 * DAY];

/**
 * All slots with `after < slot <= until`, ascending.
 * @param expression five fields: minute, hour, day of month, month, day of week; null for a schedule without such slots
 * @param zone IANA time zone
 * @throws Error where node-cron refuses the expression
 */
export function slotsBetween(expression: string | null, zone: string, after: number, until: number): number[] {
  if (until <= after || expression === null) return [];
  const pattern = compile(expression);
  // A skipped local time moves forward by up to a day (Samoa, 2011), and a repeated midnight moves back to the last
  // date.
  const periods = offsetPeriods(zone, after - 3 * DAY, until + 3 * DAY);
  const slots = pattern.everyHour
    ? slotsByElapsedTime(pattern, periods, after, until)
    : slotsByWallClock(pattern, periods, after, until);
  return slots.sort((a, b) => a - b).filter((slot, index) => slot !== slots[index - 1]);
}

/**
 * The first slot after an instant; null where there is none within about eight years.
 * @throws Error where node-cron refuses the expression
 */
export function nextSlot(expression: string | null, zone: string, after: number): number | null {
  if (expression === null) return null;
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

// Plain numbers are looked up. For `L`, `W` and `#`, node-cron matches midnight in UTC, which takes a hundred times as
// long. Its task never starts, and leaves its registry at once.
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

/** A period with one offset from UTC. */
interface OffsetPeriod {
  from: number;
  until: number;
  offset: number;
}

function offsetPeriods(zone: string, from: number, until: number): OffsetPeriod[] {
  const periods: OffsetPeriod[] = [];
  let start = Number.NEGATIVE_INFINITY;
  let clock = wallClock(from, zone);
  for (;;) {
    const offset = clock.offsetNanoseconds / 1e6;
    const next = clock.getTimeZoneTransition('next');
    if (next === null || next.epochMilliseconds > until) {
      periods.push({ from: start, until: Number.POSITIVE_INFINITY, offset });
      return periods;
    }
    periods.push({ from: start, until: next.epochMilliseconds, offset });
    start = next.epochMilliseconds;
    clock = next;
  }
}

function slotsByElapsedTime(pattern: Pattern, periods: OffsetPeriod[], after: number, until: number): number[] {
  const slots: number[] = [];
  for (const { offset, ...period } of periods) {
    // Both bounds are inclusive from here on.
    const first = Math.max(period.from, after + 1);
    const last = Math.min(period.until - 1, until);
    if (first > last) continue;
    for (const local of localTimes(pattern, first + offset, last + offset)) {
      const instant = local - offset;
      if (instant >= first && instant <= last) slots.push(instant);
    }
  }
  return slots;
}

function slotsByWallClock(pattern: Pattern, periods: OffsetPeriod[], after: number, until: number): number[] {
  const slots: number[] = [];
  const begin = after + (periods[0] as OffsetPeriod).offset - 2 * DAY;
  const end = until + (periods.at(-1) as OffsetPeriod).offset + 2 * DAY;
  for (const local of localTimes(pattern, begin, end)) {
    const instant = instantOf(local, periods);
    if (instant > after && instant <= until) slots.push(instant);
  }
  return slots;
}

/**
 * The pattern's times on every matching date that overlaps `[first, last]`. Local times are written as if they were
 * UTC.
 */
function localTimes(pattern: Pattern, first: number, last: number): number[] {
  const times: number[] = [];
  for (let day = Math.floor(first / DAY); day <= Math.floor(last / DAY); day++) {
    if (!pattern.matchesDay(day)) continue;
    for (const time of pattern.times) times.push(day * DAY + time);
  }
  return times;
}

// The first period that contains the local time. Where none does, it was skipped, and the offset before the gap moves
// it on.
function instantOf(local: number, periods: OffsetPeriod[]): number {
  let before = (periods[0] as OffsetPeriod).offset;
  for (const { from, until, offset } of periods) {
    const instant = local - offset;
    if (instant >= until) before = offset;
    else return instant >= from ? instant : local - before;
  }
  return local - before;
}
