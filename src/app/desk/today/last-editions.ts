/** Whether the last edition of each newsletter reached everybody. */
import { html } from 'hono/html';
import type { EditionDeliveryState } from '../../../core/store/tables.ts';

import {
  deliveryStateMark,
  editionDeskPath,
  newsletterTitle,
  outcomeText,
} from '../../../delivery/desk/editions/edition-names.ts';
import {
  countAllDeliveries,
  type DeliveryStateCounts,
  NO_DELIVERIES,
  readDeliveryStates,
} from '../../../delivery/queue/queries.ts';
import { type EditionSummary, lastEdition } from '../../../editions/queries.ts';
import type { DeskContext, Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { when } from '../../../web/desk/parts/when.ts';

export interface LastEdition {
  edition: EditionSummary;
  state: EditionDeliveryState;
  counts: DeliveryStateCounts;
}

/** In the order of the configuration; newsletters without an edition are not among them. */
export async function readLastEditions({ app }: DeskContext): Promise<LastEdition[]> {
  const { db } = app.store;
  const found = await Promise.all(app.config.newsletters.map(({ id }) => lastEdition(db, id)));
  const editions = found.filter((one) => one !== null);
  const ids = editions.map(({ id }) => id);
  if (ids.length === 0) return [];
  const [states, counts] = await Promise.all([readDeliveryStates(db, ids), countAllDeliveries(db, ids)]);
  return editions.map((edition) => ({
    edition,
    state: states.find(({ editionId }) => editionId === edition.id)?.state ?? 'delivering',
    counts: counts.get(edition.id) ?? NO_DELIVERIES,
  }));
}

export function lastEditionsSection(request: SignedInRequest, editions: readonly LastEdition[]): Html {
  if (editions.length === 0) return html`<p class="soft">No edition has closed yet.</p>`;
  return html`<ul class="rows">${editions.map(({ edition, state, counts }) => {
    const { desk } = request;
    const title = newsletterTitle(desk, edition.newsletter);
    const path = desk.base + editionDeskPath(edition);
    const name = request.may('editions.read') ? html`<a href="${path}">${title}</a>` : title;
    return html`<li>${name}, closed ${when(request, edition.closedAt)}: ${deliveryStateMark(state)},
${outcomeText(counts)}.</li>`;
  })}</ul>`;
}
