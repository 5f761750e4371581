/** Today: what goes out next, what goes out now, and what needs somebody. */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import type { DeskSection } from '../../../web/desk/desk-route.ts';
import { respondPage } from '../../../web/desk/page.ts';
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
  routes: [{ method: 'GET', path: '', needs: 'desk', handle: showToday }],
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
