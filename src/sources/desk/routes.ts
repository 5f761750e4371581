/** The routes of sources: their pages, and the acts on one source. */
import { source } from '../../core/config/source-schema.ts';
import type { AnySource } from '../../core/config/sources.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { count } from '../../lib/text/count.ts';
import { SECOND } from '../../lib/time.ts';
import { decideHeld } from '../../outlets/items/held-items.ts';
import { SOURCE_KINDS } from '../../outlets/polling/outlets.ts';
import { decideHeldPosts } from '../../own-sites/held-posts.ts';
import { decideWithdrawals } from '../../own-sites/sweep.ts';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import type { DeskSection } from '../../web/desk/desk-route.ts';
import { respondAfter, respondMissing } from '../../web/desk/page.ts';
import { whenText } from '../../web/desk/parts/when.ts';
import { requestSourcePoll, setPaused } from '../control-sources.ts';
import { trySource } from '../polling/poller.ts';
import { PollError } from '../request.ts';
import {
  respondSources,
  showRejections,
  showSources,
  sourcesPath,
  TRIED_USES,
  type TriedAddress,
} from './sources-page.ts';

export const sourcesSection: DeskSection = {
  navigation: { id: 'sources', label: 'Sources', path: '/sources', needs: 'editions.read' },
  routes: [
    { method: 'GET', path: '/sources', needs: 'editions.read', handle: showSources },
    { method: 'GET', path: '/sources/rejected', needs: 'editions.read', handle: showRejections },
    { method: 'POST', path: '/sources/try', needs: 'deliveries.control', handle: tryPosted },
    { method: 'POST', path: '/sources/:id/poll', needs: 'deliveries.control', handle: forSource(poll) },
    { method: 'POST', path: '/sources/:id/pause', needs: 'deliveries.control', handle: forSource(pause(true)) },
    { method: 'POST', path: '/sources/:id/resume', needs: 'deliveries.control', handle: forSource(pause(false)) },
    { method: 'POST', path: '/sources/:id/accept', needs: 'deliveries.control', handle: forSource(decide('accept')) },
    { method: 'POST', path: '/sources/:id/ignore', needs: 'deliveries.control', handle: forSource(decide('ignore')) },
    { method: 'POST', path: '/sources/:id/retract', needs: 'drafts.edit', handle: forSource(withdraw('retract')) },
    { method: 'POST', path: '/sources/:id/keep', needs: 'drafts.edit', handle: forSource(withdraw('keep')) },
  ],
};

type SourceAct = (request: SignedInRequest, source: AnySource) => Promise<Response>;

function forSource(act: SourceAct): (request: SignedInRequest) => Promise<Response> {
  return (request) => {
    const id = request.c.req.param('id');
    const source = request.desk.app.config.sources.find((one) => one.id === id);
    return source === undefined ? respondMissing(request, `There is no source ${id}.`) : act(request, source);
  };
}

async function poll(request: SignedInRequest, source: AnySource): Promise<Response> {
  const { app } = request.desk;
  const { id } = source;
  const outcome = await requestSourcePoll(app, source, request.audit('source.poll', id));
  switch (outcome.kind) {
    case 'requested':
      return done(request, `${id} is due now: a process with the role schedule polls it within seconds.`);
    case 'stopped':
      return problem(request, `${id} is ${outcome.why}: resume it first.`);
    case 'waiting': {
      const until = whenText(outcome.until, request.at, app.config.publication.zone);
      return problem(request, `The server of ${id} asks not to be called before ${until}.`);
    }
  }
}

function pause(isPaused: boolean): SourceAct {
  return async (request, source) => {
    const { id } = source;
    const [act, back] = isPaused ? (['pause', 'resume'] as const) : (['resume', 'pause'] as const);
    await setPaused(request.desk.app, source, isPaused, request.audit(`source.${act}`, id));
    return done(request, `${id} is ${isPaused ? 'paused' : 'polled again'}.`, `/sources/${id}/${back}`);
  };
}

function decide(decision: 'accept' | 'ignore'): SourceAct {
  return async (request, source) => {
    const { id } = source;
    const audit = request.audit(`source.${decision}`, id);
    const act = source.use === 'roundup' ? decideHeld : decideHeldPosts;
    const { open, old, ignored } = await act(request.desk.app, source, decision, audit);
    if (open + old + ignored === 0) return problem(request, `No item of ${id} is still held.`);
    if (decision === 'ignore') return done(request, `${count(ignored, 'item')} of ${id} will not be shown.`);
    if (source.use === 'articles') return done(request, `${count(open, 'item')} of ${id} imported.`);
    return done(request, `${count(open, 'item')} of ${id} accepted for the roundup, and ${old} older than its window.`);
  };
}

function withdraw(decision: 'retract' | 'keep'): SourceAct {
  return async (request, source) => {
    const { id } = source;
    if (source.use !== 'articles')
      return problem(request, `${id} is the feed of another outlet: it withdraws nothing.`);
    const act = decision === 'retract' ? 'source.retract-withdrawn' : 'source.keep-withdrawn';
    const decided = await decideWithdrawals(request.desk.app, source, decision, request.audit(act, id));
    if (decided === 0) return problem(request, `No post of ${id} still waits for a decision.`);
    const articles = count(decided, 'article');
    return done(request, decision === 'retract' ? `Retracted ${articles} of ${id}.` : `Kept ${articles} of ${id}.`);
  };
}

/** Tests under way in this process: each may hold a connection to a stranger's server for some seconds. */
let testsUnderWay = 0;
const MAX_TESTS = 2;
/** Somebody waits for the answer. */
const TIME_LIMIT = 20 * SECOND;

async function tryPosted(request: SignedInRequest): Promise<Response> {
  const url = (request.form.get('url') ?? '').trim();
  const use = TRIED_USES.find((one) => one === request.form.get('use')) ?? 'roundup';
  if (testsUnderWay >= MAX_TESTS) {
    const reason = 'Two other addresses are being tried. Try again in a few seconds';
    return respondSources(request, { url, use, outcome: reason });
  }
  testsUnderWay += 1;
  try {
    return await respondSources(request, { url, use, outcome: await tryAddress(request.desk.app, { url, use }) });
  } finally {
    testsUnderWay -= 1;
  }
}

/**
 * Tries an address that is no source yet, by the rules of the configuration, in whose sentences the outlet has a name.
 * @returns a string that says why there is no answer
 */
async function tryAddress(
  app: SignedInRequest['desk']['app'],
  { url, use }: Pick<TriedAddress, 'url' | 'use'>,
): Promise<TriedAddress['outcome']> {
  const parsed = source.safeParse({ id: 'tried', url, use, ...(use === 'roundup' ? { outlet: 'the outlet' } : {}) });
  if (!parsed.success) return `The address ${parsed.error.issues[0]?.message ?? 'is wrong'}`;
  const signal = AbortSignal.timeout(TIME_LIMIT);
  try {
    return await trySource(app, SOURCE_KINDS[use], parsed.data, signal);
  } catch (error) {
    if (signal.aborted) return `There was no answer within ${TIME_LIMIT / SECOND} seconds`;
    if (error instanceof PollError) return errorLine(error);
    throw error;
  }
}

/** @param undo the route of the act that takes it back */
function done(request: SignedInRequest, text: string, undo?: string): Response {
  const back = undo === undefined ? undefined : { action: undo, fields: {} };
  return respondAfter(request, sourcesPath(request), { kind: 'done', text, undo: back });
}

function problem(request: SignedInRequest, text: string): Response {
  return respondAfter(request, sourcesPath(request), { kind: 'problem', text });
}
