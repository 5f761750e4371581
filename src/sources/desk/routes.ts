/** The routes of sources: their pages, and the acts on one source. */
import type { AnySource } from '../../core/config/sources.ts';
import { decideHeld } from '../../outlets/items/held-items.ts';
import { SOURCE_KINDS } from '../../outlets/polling/outlet-feeds.ts';
import { decideWithdrawals } from '../../own-sites/poll-sources.ts';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import type { DeskSection } from '../../web/desk/desk-route.ts';
import { respondAfter, respondMissing } from '../../web/desk/page.ts';
import { whenText } from '../../web/desk/parts/when.ts';
import { pauseSource, requestSourcePoll, resumeSource } from '../control-sources.ts';
import { TRIED_USES } from './address-form.ts';
import { respondSources, showRejections, showSources } from './sources-page.ts';
import { tryAddress } from './try-address.ts';

export const sourcesSection: DeskSection = {
  navigation: { id: 'sources', label: 'Sources', path: '/sources', needs: 'editions.read' },
  routes: [
    { method: 'GET', path: '/sources', needs: 'editions.read', handle: showSources },
    { method: 'GET', path: '/sources/rejected', needs: 'editions.read', handle: showRejections },
    { method: 'POST', path: '/sources/try', needs: 'deliveries.control', handle: tryPosted },
    { method: 'POST', path: '/sources/:id/poll', needs: 'deliveries.control', handle: forSource(poll) },
    { method: 'POST', path: '/sources/:id/pause', needs: 'deliveries.control', handle: forSource(pause) },
    { method: 'POST', path: '/sources/:id/resume', needs: 'deliveries.control', handle: forSource(resume) },
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
  const outcome = await requestSourcePoll(app, SOURCE_KINDS[source.use], source, request.audit('source.poll', id));
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

async function pause(request: SignedInRequest, source: AnySource): Promise<Response> {
  const { id } = source;
  await pauseSource(request.desk.app, SOURCE_KINDS[source.use], source, request.audit('source.pause', id));
  return done(request, `${id} is paused.`, `/sources/${id}/resume`);
}

async function resume(request: SignedInRequest, source: AnySource): Promise<Response> {
  const { id } = source;
  await resumeSource(request.desk.app, SOURCE_KINDS[source.use], source, request.audit('source.resume', id));
  return done(request, `${id} is polled again.`, `/sources/${id}/pause`);
}

function decide(decision: 'accept' | 'ignore'): SourceAct {
  return async (request, source) => {
    const { id } = source;
    if (source.use !== 'roundup') return problem(request, `${id} is a site of your own: its items are never held.`);
    const audit = request.audit(`source.${decision}`, id);
    const { open, old, ignored } = await decideHeld(request.desk.app, source, decision, audit);
    if (open + old + ignored === 0) return problem(request, `No item of ${id} is held any more.`);
    if (decision === 'ignore') return done(request, `${items(ignored)} of ${id} will not be shown.`);
    return done(request, `${items(open)} of ${id} accepted for the roundup, and ${old} older than its window.`);
  };
}

function withdraw(decision: 'retract' | 'keep'): SourceAct {
  return async (request, source) => {
    const { id } = source;
    if (source.use !== 'articles')
      return problem(request, `${id} is the feed of another outlet: it withdraws nothing.`);
    const act = decision === 'retract' ? 'source.retract-withdrawn' : 'source.keep-withdrawn';
    const count = await decideWithdrawals(request.desk.app, source, decision, request.audit(act, id));
    if (count === 0) return problem(request, `No post of ${id} waits for a decision any more.`);
    const articles = count === 1 ? '1 article' : `${count} articles`;
    return done(request, decision === 'retract' ? `Retracted ${articles} of ${id}.` : `Kept ${articles} of ${id}.`);
  };
}

/** Tests under way in this process: each may hold a connection to a stranger's server for some seconds. */
let testsUnderWay = 0;
const MAX_TESTS = 2;

async function tryPosted(request: SignedInRequest): Promise<Response> {
  const url = (request.form.get('url') ?? '').trim();
  const use = TRIED_USES.find((one) => one === request.form.get('use')) ?? 'roundup';
  if (testsUnderWay >= MAX_TESTS) {
    const reason = 'Two other addresses are being tried. Try again in a few seconds';
    return respondSources(request, { url, use, outcome: { kind: 'failed', reason } });
  }
  testsUnderWay += 1;
  try {
    return await respondSources(request, { url, use, outcome: await tryAddress(request.desk.app, { url, use }) });
  } finally {
    testsUnderWay -= 1;
  }
}

/** @param undo the route of the act that takes it back */
function done(request: SignedInRequest, text: string, undo?: string): Response {
  const back = undo === undefined ? undefined : { action: undo, fields: {} };
  return respondAfter(request, '/sources', { kind: 'done', text, undo: back });
}

function problem(request: SignedInRequest, text: string): Response {
  return respondAfter(request, '/sources', { kind: 'problem', text });
}

function items(count: number): string {
  return count === 1 ? '1 item' : `${count} items`;
}
