/** What an alert is about: ids of editions, newsletters, sources. */
export type AlertSubject = Readonly<Record<string, string | number>>;

/** An alert is open once for each of these. */
export interface AlertId {
  kind: string;
  subject: AlertSubject;
}

/** A page of the desk where something can be done about an alert. */
export interface AlertPage {
  label: string;
  /** Below the path of the desk. */
  path: string;
  needs: 'editions.read' | 'deliveries.read';
}

/** How the desk shows the alerts of a kind. */
export interface AlertKind {
  title: string;
  /** Beyond what the alert says itself. */
  hint?: string;
  page?(subject: AlertSubject): AlertPage;
}

/**
 * Such as `waiting:newsletter:daily-roundup`: unique among open alerts. It has the values of the subject in their
 * order, without empty ones, so each kind of subject is made in one place.
 */
export function alertKey({ kind, subject }: AlertId): string {
  return [kind, ...Object.values(subject)].filter((part) => part !== '').join(':');
}
