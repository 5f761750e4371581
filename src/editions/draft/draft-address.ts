/**
 * Addresses of an edition's pages, below the desk's path.
 */
import type { DraftTarget } from './draft-target.ts';

/** What an address names: a newsletter and the label of a slot. */
export interface NamedSlot {
  newsletter: Pick<DraftTarget['newsletter'], 'id'>;
  slot: Pick<DraftTarget['slot'], 'label'>;
}

/** The page on which editors work. */
export function draftPath(target: NamedSlot): string {
  return `${closedPath(target)}/draft`;
}

/** The whole log of the draft. */
export function logPath(target: NamedSlot): string {
  return `${draftPath(target)}/log`;
}

/** The page of the closed edition. */
export function closedPath({ newsletter, slot }: NamedSlot): string {
  return `/editions/${encodeURIComponent(newsletter.id)}/${encodeURIComponent(slot.label)}`;
}

/** Leads to the page of the newsletter's coming slot. */
export function nextPath(newsletter: string): string {
  return `/editions/${encodeURIComponent(newsletter)}/next`;
}

/** The topic that changes with the decisions about an edition. */
export function draftTopic({ newsletter, slot }: NamedSlot): string {
  return `draft:${newsletter.id}/${slot.label}`;
}
