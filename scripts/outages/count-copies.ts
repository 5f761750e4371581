/** What became of the deliveries: the copies at the mail server against the rows of the store. Pure. */

export interface DeliveryEnd {
  recipient: string;
  state: string;
}

export interface CopyCounts {
  deliveries: number;
  /** Deliveries that did not end as submitted, or that have no copy. */
  lost: string[];
  /** Copies beyond those that a recipient may have. */
  doubled: string[];
  /** Second copies with the same Message-ID of deliveries that a kill had interrupted. */
  uncertain: number;
}

/**
 * @param copies the Message-IDs that arrived, by recipient
 * @param interrupted the recipients whose deliveries were `submitting` when a process was killed: one more copy each,
 *   with the same Message-ID, is what docs/guarantees.md says
 */
export function countCopies(
  deliveries: readonly DeliveryEnd[],
  copies: ReadonlyMap<string, readonly string[]>,
  interrupted: ReadonlySet<string>,
): CopyCounts {
  const counts: CopyCounts = { deliveries: deliveries.length, lost: [], doubled: [], uncertain: 0 };
  const known = new Set(deliveries.map(({ recipient }) => recipient));
  for (const { recipient, state } of deliveries) {
    const [first, ...more] = copies.get(recipient) ?? [];
    if (first === undefined) counts.lost.push(`${recipient} has no copy, and its delivery is ${state}`);
    else if (state !== 'submitted') counts.lost.push(`the delivery to ${recipient} is ${state}`);
    for (const [n, messageId] of more.entries()) {
      if (messageId !== first) counts.doubled.push(`${recipient} has a copy with another Message-ID`);
      else if (n === 0 && interrupted.has(recipient)) counts.uncertain += 1;
      else counts.doubled.push(`${recipient} has ${more.length + 1} copies`);
    }
  }
  for (const recipient of copies.keys()) {
    if (!known.has(recipient)) counts.doubled.push(`${recipient} has a copy without a delivery`);
  }
  return counts;
}
