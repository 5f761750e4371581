/**
 * Kills the process that takes an edition from its approval to its close, at any step; another one continues. However
 * it was killed, there is one edition, with one delivery for each subscriber, and one run of its slot.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { jobsOf } from '../../src/app/capabilities.ts';
import { registerSchedules } from '../../src/core/schedule/register.ts';
import { runDue } from '../../src/core/schedule/run-due.ts';
import { closeDueEditions, startSending } from '../../src/delivery/closing/send-now.ts';
import { composeDraft } from '../../src/editions/draft/compose-draft.ts';
import { readDraft } from '../../src/editions/draft/draft-store.ts';
import { findDraftTarget } from '../../src/editions/draft/draft-target.ts';
import { editDraft } from '../../src/editions/draft/edit-draft.ts';
import { MINUTE } from '../../src/lib/time.ts';
import {
  createNewsroom,
  type DraftNewsroom,
  EDITOR,
  findWholeFaults,
  type NewsroomPlace,
  openNewsroom,
  readFigures,
  resetNewsroom,
  SLOT,
  watchQueries,
} from './newsroom.ts';

/** How the edition closes: at its slot, or before it by hand. */
export type Way = 'slot' | 'send';

interface EditionKillFigures {
  kills: number;
  /** Kills by what the store held then. */
  steps: Record<string, number>;
  faults: string[];
  seconds: number;
}

/** Longer than the lease of a run, which the killed process holds. */
const LATER = 3 * MINUTE;

/** Kills so many processes, each right before or right after a random write of an edition of its own. */
export async function runEditionKills(
  place: NewsroomPlace,
  kills: number,
  onKill: (kills: number) => void = () => {},
): Promise<EditionKillFigures> {
  const start = performance.now();
  await createNewsroom(place);
  const room = await openNewsroom(place, SLOT - 20 * MINUTE);
  const { store } = room.app;
  const figures: EditionKillFigures = { kills: 0, steps: {}, faults: [], seconds: 0 };
  try {
    await registerSchedules(store.db, jobsOf(room.app), room.app.now);
    const steps: Record<Way, number[]> = { slot: await stepsOf(place, 'slot'), send: await stepsOf(place, 'send') };
    while (figures.kills < kills) {
      const way: Way = figures.kills % 2 === 0 ? 'slot' : 'send';
      await resetNewsroom(store);
      const isKilled = await runWorker(place, way, steps[way][Math.floor(Math.random() * steps[way].length)] as number);
      const step = await stepOf(room);
      await closeAnEdition(room, way, LATER);
      const faults = await findFaults(room);
      figures.faults.push(...faults.map((fault) => `${way}, killed when ${step}: ${fault}`));
      // With fewer queries than the first time, it has come to its end.
      if (!isKilled) continue;
      figures.kills += 1;
      figures.steps[step] = (figures.steps[step] ?? 0) + 1;
      onKill(figures.kills);
    }
  } finally {
    await store.close();
  }
  return { ...figures, seconds: Math.round((performance.now() - start) / 1000) };
}

/**
 * Approves the edition unless that is done, closes it, and lets its slot come.
 * @param later by how much the clock is ahead of a first process
 */
export async function closeAnEdition(room: DraftNewsroom, way: Way, later: number): Promise<void> {
  const { app, newsletter, slot } = room;
  app.now = SLOT - 10 * MINUTE + later;
  const target = await findDraftTarget(app, newsletter, slot.label);
  const { state } = await readDraft(app.store.db, newsletter.id, slot);
  if (state.kind === 'automatic' && target.edition === null) {
    const seen = await composeDraft(app, target);
    if (seen.kind === 'composed')
      await editDraft(app, target, EDITOR, { kind: 'approve' }, { seen: { hash: seen.hash } });
  }
  if (way === 'send') {
    if ((await findDraftTarget(app, newsletter, slot.label)).edition === null) await startSending(app, target, EDITOR);
    app.now += 2 * MINUTE;
    await closeDueEditions(app);
  }
  app.now = SLOT + later;
  const jobs = jobsOf(app).filter(({ id }) => id.startsWith('newsletter:'));
  await runDue(app.store, jobs, app);
}

/** The numbers of the queries that write, and of those after them, from the approval to the recorded run. */
async function stepsOf(place: NewsroomPlace, way: Way): Promise<number[]> {
  const steps: number[] = [];
  let queries = 0;
  const plugin = watchQueries((isWrite) => {
    queries += 1;
    if (isWrite) steps.push(queries, queries + 1);
  });
  const room = await openNewsroom(place, SLOT, { plugin });
  try {
    await resetNewsroom(room.app.store);
    queries = 0;
    steps.length = 0;
    await closeAnEdition(room, way, 0);
    return steps.filter((step) => step <= queries);
  } finally {
    await room.app.store.close();
  }
}

/** @returns whether it was killed, and not faster at its end */
async function runWorker(place: NewsroomPlace, way: Way, killBefore: number): Promise<boolean> {
  const script = join(import.meta.dirname, 'kill-worker.ts');
  const args = [script, JSON.stringify(place), way, String(killBefore)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = await once(child, 'exit');
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`a process failed by itself with ${code}`);
  return signal === 'SIGKILL';
}

/** What had been done when the process was killed. */
async function stepOf({ app }: DraftNewsroom): Promise<string> {
  const { draft, editions, runs } = await readFigures(app.store);
  const run = runs[0]?.state ?? 'no run';
  const sent = draft !== null && draft.closeAt !== null ? ', being sent' : '';
  return `${editions === 1 ? 'closed' : (draft?.state ?? 'untouched')}${sent}, ${run}`;
}

async function findFaults({ app }: DraftNewsroom): Promise<string[]> {
  const figures = await readFigures(app.store);
  const [run, ...others] = figures.runs;
  const isRight = others.length === 0 && (run?.state === 'done' || run?.state === 'late');
  return [...findWholeFaults(figures), ...(isRight ? [] : [`the runs are ${JSON.stringify(figures.runs)}`])];
}
