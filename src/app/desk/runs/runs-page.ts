/** The run ledger: what the schedules have done, what they do next, and why a slot had no run. */
import { html } from 'hono/html';
import type { Job } from '../../../core/schedule/job.ts';
import { listLastRuns, type Run } from '../../../core/schedule/run-ledger.ts';
import { type RunFilter, type RunPlace, readRunPage } from '../../../core/schedule/run-pages.ts';
import { nextSlot } from '../../../core/schedule/slots.ts';
import { newsletterJobId } from '../../../editions/slot.ts';
import { nextOpenSlot } from '../../../editions/slots.ts';
import { formatDuration, localDateTime } from '../../../lib/time.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { DeskSection } from '../../../web/desk/desk-route.ts';
import { respondPage } from '../../../web/desk/page.ts';
import { selectField, submitButton } from '../../../web/desk/parts/form.ts';
import { operatorText } from '../../../web/desk/parts/operator-text.ts';
import { pager } from '../../../web/desk/parts/pager.ts';
import { rowTable } from '../../../web/desk/parts/row-table.ts';
import { fromNow, when } from '../../../web/desk/parts/when.ts';
import { jobsOf } from '../../capabilities.ts';
import { isRunState, RUN_STATE_MEANINGS, runMark, scheduleName } from './run-states.ts';

const ROWS = 50;
const MAX_ID = 200;

export const runsSection: DeskSection = {
  navigation: { id: 'runs', label: 'Runs', path: '/runs', needs: 'editions.read' },
  routes: [{ method: 'GET', path: '/runs', needs: 'editions.read', handle: showRuns }],
};

async function showRuns(request: SignedInRequest): Promise<Response> {
  const { c, desk } = request;
  const { store, config } = desk.app;
  const jobs = jobsOf(desk.app);
  const filter: RunFilter = {
    schedule: c.req.query('schedule')?.slice(0, MAX_ID) || undefined,
    state: isRunState(c.req.query('state')) ? (c.req.query('state') as keyof typeof RUN_STATE_MEANINGS) : undefined,
  };
  const after = parsePlace(c.req.query('after'));
  const { runs, older } = await readRunPage(store.db, filter, { limit: ROWS, after });
  const lastRuns = new Map((await listLastRuns(store.db)).map((run) => [run.schedule, run]));
  const schedules = [...jobs.map(({ id }) => id), ...config.sources.map(({ id }) => `source:${id}`)];
  if (filter.schedule !== undefined && !schedules.includes(filter.schedule)) schedules.push(filter.schedule);
  const links = {
    path: '/runs',
    query: { schedule: filter.schedule, state: filter.state },
    older: older === null ? null : `${older.slotAt}.${older.schedule}`,
    isFirst: after === null,
  };
  const body = html`
<section id="next-slots" data-region aria-labelledby="next-slots-title">
<h2 id="next-slots-title">Next slots</h2>
${await nextSlotsTable(request, jobs, lastRuns)}
</section>
<section id="runs" data-region aria-labelledby="runs-title">
<h2 id="runs-title">Runs</h2>
<form method="get" action="${desk.base}/runs" class="filters">
${selectField({
  ...{ name: 'schedule', label: 'Schedule', value: filter.schedule ?? '' },
  options: [
    { value: '', label: 'All schedules' },
    ...schedules.map((id) => ({ value: id, label: scheduleName(config, id) })),
  ],
})}
${selectField({
  ...{ name: 'state', label: 'State', value: filter.state ?? '' },
  options: [
    { value: '', label: 'All states' },
    ...Object.keys(RUN_STATE_MEANINGS).map((id) => ({ value: id, label: id })),
  ],
})}
${submitButton('Filter')}
</form>
${
  runs.length === 0
    ? html`<p class="empty">No run matches.
<a href="${desk.base}/runs">Show all runs</a></p>`
    : runsTable(request, runs)
}
${pager(request, links)}
</section>
<details>
<summary>What the states mean</summary>
<dl class="pairs">${Object.entries(RUN_STATE_MEANINGS).map(
    ([state, { meaning }]) => html`<dt>${runMark({ state: state as Run['state'], leaseUntil: null })}</dt>
<dd>${meaning}</dd>`,
  )}</dl>
</details>`;
  return respondPage(request, { title: 'Runs', section: 'runs', body, topics: ['alerts'] });
}

async function nextSlotsTable(
  request: SignedInRequest,
  jobs: Job[],
  lastRuns: ReadonlyMap<string, Run>,
): Promise<Html> {
  if (jobs.length === 0)
    return html`<p class="empty">Nothing is scheduled: see “newsletters” in the configuration.</p>`;
  const { config } = request.desk.app;
  const nexts = await Promise.all(jobs.map((job) => nextOf(request, job)));
  const rows = jobs.map(({ id, schedule: { cron, zone } }, index) => {
    const next = nexts[index] ?? null;
    const last = lastRuns.get(id);
    const otherZone = zone === config.publication.zone ? '' : html` (${zone})`;
    return {
      cells: [
        scheduleName(config, id),
        cron === null ? 'when an alert is made' : html`<code class="nowrap">${cron}</code>${otherZone}`,
        next === null ? 'none' : html`${when(request, next)}, ${fromNow(request, next)}`,
        last === undefined ? 'none yet' : html`${runMark(last)} ${when(request, last.slotAt)}`,
      ],
    };
  });
  return rowTable({ titleId: 'next-slots-title' }, ['Schedule', 'Cron', 'Next slot', 'Last run'], rows);
}

/** When a job runs next. An edition that was sent early leaves its slot without a run. */
async function nextOf({ desk: { app }, at }: SignedInRequest, { id, schedule }: Job): Promise<number | null> {
  const newsletter = app.config.newsletters.find((one) => newsletterJobId(one.id) === id);
  if (newsletter === undefined) return nextSlot(schedule.cron, schedule.zone, at);
  return (await nextOpenSlot(app, newsletter, at))?.slotAt ?? null;
}

function runsTable(request: SignedInRequest, runs: readonly Run[]): Html {
  const { config } = request.desk.app;
  const { zone } = config.publication;
  const rows = runs.map((run) => ({
    cells: [
      html`<span class="nowrap">${localDateTime(run.slotAt, zone)}</span>`,
      scheduleName(config, run.schedule),
      runMark(run),
      reasonOf(request, run),
      html`<span class="nowrap">${durationOf(run)}</span>`,
      run.covers > 1 ? run.covers : '',
    ],
  }));
  const numbers = ['Took', 'Slots covered'].map((label) => ({ label, isNumber: true }));
  return rowTable({ titleId: 'runs-title' }, ['Slot', 'Schedule', 'State', 'Reason', ...numbers], rows);
}

function durationOf({ startedAt, finishedAt }: Run): string {
  return finishedAt === null ? '' : formatDuration(Math.max(0, finishedAt - startedAt));
}

function reasonOf(request: SignedInRequest, { state, reason, leaseUntil }: Run): Html {
  const text = reason === null ? '' : operatorText(request, reason);
  if (state !== 'failed' || leaseUntil === null) return html`${text}`;
  return html`${text} Tried again ${fromNow(request, leaseUntil)}.`;
}

/** A place as pagers write it; null for any other text, which shows the first page. */
function parsePlace(text: string | undefined): RunPlace | null {
  const [, slotAt, schedule] = /^(\d{1,15})\.(.{1,200})$/.exec(text ?? '') ?? [];
  return slotAt === undefined || schedule === undefined ? null : { slotAt: Number(slotAt), schedule };
}
