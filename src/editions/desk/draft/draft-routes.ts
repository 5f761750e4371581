import { SECOND } from '../../../lib/time.ts';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { DeskRoute, DeskSection } from '../../../web/desk/desk-route.ts';
import { respondAfter, respondMissing } from '../../../web/desk/page.ts';
import { draftPath, nextPath } from '../../draft/draft-target.ts';
import { checkDraft } from '../../edition-checks/check-draft.ts';
import { composeForPage } from '../preview/compose-for-desk.ts';
import { lostChoice } from '../preview/preview-choice.ts';
import { previewRoutes } from '../preview/preview-response.ts';
import { sendingRoutes } from '../sending/sending-routes.ts';
import { actOnStory, moveStory, redo, textActs, undo } from './draft-acts.ts';
import { showLog } from './draft-log.ts';
import { respondEdition } from './draft-page.ts';
import { findTarget, isMissing, newsletterThatIsNext } from './draft-view.ts';
import { countProblems } from './problem-list.ts';

const DRAFT = '/editions/:newsletter/:slot/draft';
/** How long a request of an editor looks links up. */
const LOOK_UP_LIMIT = 10 * SECOND;

const draftRoutes: DeskRoute[] = [
  { method: 'GET', path: '/edition', needs: 'editions.read', handle: showNextOfAll },
  { method: 'GET', path: '/editions/:newsletter/next', needs: 'editions.read', handle: showNext },
  { method: 'GET', path: DRAFT, needs: 'editions.read', handle: show },
  { method: 'GET', path: `${DRAFT}/log`, needs: 'editions.read', handle: showLog },
  { method: 'POST', path: `${DRAFT}/move`, needs: 'drafts.edit', handle: moveStory },
  { method: 'POST', path: `${DRAFT}/pin`, needs: 'drafts.edit', handle: actOnStory('pin') },
  { method: 'POST', path: `${DRAFT}/drop`, needs: 'drafts.edit', handle: actOnStory('drop') },
  { method: 'POST', path: `${DRAFT}/restore`, needs: 'drafts.edit', handle: actOnStory('restore') },
  { method: 'POST', path: `${DRAFT}/subject`, needs: 'drafts.edit', ...textActs('subject') },
  { method: 'POST', path: `${DRAFT}/preheader`, needs: 'drafts.edit', ...textActs('preheader') },
  { method: 'POST', path: `${DRAFT}/note`, needs: 'drafts.edit', ...textActs('note') },
  { method: 'POST', path: `${DRAFT}/undo`, needs: 'drafts.edit', handle: undo },
  { method: 'POST', path: `${DRAFT}/redo`, needs: 'drafts.edit', handle: redo },
  { method: 'POST', path: `${DRAFT}/links`, needs: 'drafts.edit', handle: lookUpLinks },
];

async function showNextOfAll(request: SignedInRequest): Promise<Response> {
  const newsletter = await newsletterThatIsNext(request);
  if (newsletter === null) return respondMissing(request, 'No newsletter has an edition to come.');
  return request.c.redirect(request.desk.base + nextPath(newsletter.id) + queryOf(request));
}

async function showNext(request: SignedInRequest): Promise<Response> {
  const target = await findTarget(request);
  if (isMissing(target)) return respondMissing(request, target.message);
  return request.c.redirect(request.desk.base + draftPath(target) + queryOf(request));
}

/** A link may choose the view of the preview. */
function queryOf({ c }: SignedInRequest): string {
  return new URL(c.req.url).search;
}

async function show(request: SignedInRequest): Promise<Response> {
  const target = await findTarget(request);
  if (isMissing(target)) return respondMissing(request, target.message);
  const lost = lostChoice(request);
  return lost === ''
    ? respondEdition(request, target)
    : request.c.redirect(request.desk.base + draftPath(target) + lost);
}

async function lookUpLinks(request: SignedInRequest): Promise<Response> {
  const target = await findTarget(request);
  if (isMissing(target)) return respondMissing(request, target.message);
  const path = `${draftPath(target)}#checks`;
  const composition = await composeForPage(request.desk, target);
  if (composition.kind === 'empty') {
    return respondAfter(request, path, {
      ...{ kind: 'problem', place: 'checks' },
      text: `There is no link to look up: ${composition.reason}.`,
    });
  }
  const options = { links: 'look-up', timeLimitMs: LOOK_UP_LIMIT } as const;
  const problems = await checkDraft(request.desk.app, target.newsletter, composition.composed, options);
  const found = problems.filter(({ code }) => code === 'dead-link' || code === 'unchecked-link');
  return respondAfter(request, path, {
    ...{ kind: 'done', place: 'checks' },
    text: `Links looked up: ${countProblems(found)}.`,
  });
}

export const draftSection: DeskSection = {
  navigation: { id: 'edition', label: 'Next edition', path: '/edition', needs: 'editions.read' },
  routes: [...draftRoutes, ...previewRoutes, ...sendingRoutes],
};
