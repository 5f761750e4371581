/**
 * Judges the domain of a newsletter's From.
 */
import { isLargeProvider } from '../../audience/consent/large-providers.ts';
import type { Lookup } from './dns-resolver.ts';
import { type Judgement, judge, notKnown } from './judgement.ts';
import type { MxView } from './mx/judge-mx.ts';

/** Judges whether replies could reach the domain: some receivers refuse mail from one that does not exist. */
export function judgeSenderDomain({ domain, exchanges, addresses }: MxView): Judgement {
  const about = { id: 'sender', domain };
  if (isLargeProvider(domain)) {
    return judge(
      'fail',
      about,
      `From is an address at ${domain}, a mailbox provider for everyone: its DMARC policy lets others reject your ` +
        'newsletters. Use an address of a domain of your own',
    );
  }
  if (exchanges.kind === 'found' && exchanges.records.some(({ exchange }) => exchange === '')) {
    return judge(
      'fail',
      about,
      `${domain} says that it accepts no mail (a null MX): receivers may refuse mail from it (RFC 7505 §4.2), and ` +
        'replies are lost',
    );
  }
  if (exchanges.kind === 'found' || addresses.kind === 'found') {
    return judge('pass', about, 'the domain exists, and is no mailbox provider for everyone');
  }
  const failed: Lookup<unknown> | undefined = [exchanges, addresses].find(({ kind }) => kind === 'failed');
  if (failed?.kind === 'failed') return notKnown(about, domain, failed.reason);
  return judge('fail', about, `${domain} has neither MX nor address: receivers refuse mail from a domain without`);
}
