/** Today: what goes out next, what goes out now, and what needs somebody. */
import { html } from 'hono/html';
import { cancelSending, SendError } from '../../../delivery/closing/countdown.ts';
import { findDraftTarget, targetName } from '../../../editions/draft/draft-target.ts';
import { SlotError } from '../../../editions/slots.ts';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { DeskSection } from '../../../web/desk/desk-route.ts';
import { respondAfter, respondMissing, respondPage } from '../../../web/desk/page.ts';
import { operatorText, refusalText, sentence } from '../../../web/desk/parts/operator-text.ts';
import { readToday, type Today } from './read-today.ts';
import {
  alertsSection,
  draftsSection,
  glanceSection,
  lastEditionsSection,
  missedSection,
  processesSection,
  sendsSection,
} from './today-sections.ts';

export const todaySection: DeskSection = {
  navigation: { id: 'today', label: 'Today', path: '', needs: 'desk' },
  routes: [
    { method: 'GET', path: '', needs: 'desk', handle: showToday },
    { method: 'POST', path: '/today/cancel', needs: 'drafts.edit', handle: cancelCountdown },
  ],
};

async function showToday(request: SignedInRequest): Promise<Response> {
  const today = await readToday(request.desk, request.at);
  const body = html`
<section id="glance" data-region aria-label="At a glance">${glanceSection(request, today)}</section>
${section('drafts', 'Next editions', draftsSection(request, today.newsletters))}
${section('sends', 'Being sent', sendsSection(request, today))}
${section('last', 'Last editions', lastEditionsSection(request, today.lastEditions))}
${section('alerts', 'Alerts', alertsSection(request, today))}
${section('missed', 'Late or missed', missedSection(request, today))}
${section('processes', 'Processes', processesSection(request, today))}`;
  return respondPage(request, { title: 'Today', section: 'today', body, topics: topicsOf(today) });
}

function section(id: string, title: string, content: Html): Html {
  return html`<section id="${id}" data-region aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${content}</section>`;
}

function topicsOf({ newsletters, sends }: Today): string[] {
  const drafts = newsletters.flatMap(({ newsletter, drafts }) =>
    drafts.map(({ slot }) => `draft:${newsletter.id}/${slot.label}`),
  );
  return ['alerts', 'articles', 'deliveries', ...drafts, ...sends.map(({ edition }) => `edition:${edition.id}`)];
}

/** Cancels the countdown of an edition that an editor has sent. */
async function cancelCountdown(request: SignedInRequest): Promise<Response> {
  const { form, desk, account } = request;
  const id = form.get('newsletter') ?? '';
  const newsletter = desk.app.config.newsletters.find((one) => one.id === id);
  if (newsletter === undefined) return respondMissing(request, `There is no newsletter ${id}.`);
  const label = form.get('slot') ?? '';
  try {
    const target = await findDraftTarget(desk.app, newsletter, label);
    const name = targetName(target);
    await cancelSending(desk.app, target, account.name, request.audit('edition.cancel-sending', name));
    return respondAfter(request, '', { kind: 'done', text: `${newsletter.title} is no longer being sent.` });
  } catch (error) {
    if (!(error instanceof SendError || error instanceof SlotError)) throw error;
    return respondAfter(request, '', { kind: 'problem', text: sentence(operatorText(request, refusalText(error))) });
  }
}
