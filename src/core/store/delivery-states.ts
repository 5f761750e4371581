/** The states in which a delivery or a service message is not finished. */
import { type RawBuilder, sql } from 'kysely';

export const OPEN_DELIVERY_STATES = ['pending', 'submitting'] as const;

const OPEN_LIST = sql.join(OPEN_DELIVERY_STATES.map((state) => sql.lit(state)));

/**
 * Condition: the row is open. The states are literals, not parameters: SQLite uses the partial indexes deliveries_open
 * and service_messages_open only if it sees their condition.
 */
export function isInOpenState(table: 'deliveries' | 'service_messages'): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(`${table}.state`)} in (${OPEN_LIST})`;
}
