/** What an alert is about: ids of editions, newsletters, sources. */
export type AlertSubject = Readonly<Record<string, string | number>>;

/** An alert is open once for each of these. */
export interface AlertId {
  kind: string;
  subject: AlertSubject;
}

/**
 * How the desk shows the alerts of a kind. Capabilities export theirs.
 * @typeParam P permissions of the desk
 */
export interface AlertKind<P extends string = string> {
  title: string;
  /** Beyond what the alert says itself. */
  hint?: string;
  /** Where something can be done about it. */
  page?(subject: AlertSubject): { label: string; path: string; needs: P };
}

/** Such as `waiting:newsletter:daily-roundup`: unique among open alerts. */
export function alertKey({ kind, subject }: AlertId): string {
  return [kind, ...Object.values(subject)].filter((part) => part !== '').join(':');
}
