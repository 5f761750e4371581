import type { AlertKind, AlertSubject } from '../alerts/alert-kind.ts';

const runsPage = ({ job }: AlertSubject) => ({
  label: 'Its runs',
  path: `/runs?schedule=${encodeURIComponent(job ?? '')}`,
  needs: 'editions.read' as const,
});

/** The alerts about runs. */
export const RUN_ALERT_KINDS = {
  failed: { title: 'A run failed', hint: 'Remove the cause: the run is tried again.', page: runsPage },
  late: { title: 'A run was late', hint: 'Was daywire stopped, or the machine busy?', page: runsPage },
  skipped: { title: 'A slot was skipped', hint: 'Nothing more happens for that slot.', page: runsPage },
  waiting: { title: 'A slot waits', page: runsPage },
} satisfies Record<string, AlertKind>;
