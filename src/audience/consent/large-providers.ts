/**
 * Domains under which many unrelated people have their mailboxes: requests for them are not limited by domain.
 */
import { mailboxProviderOf } from '../mailbox-providers.ts';

/** Beside those of the mailbox providers whose rates are watched. */
const OTHERS = new Set(
  [
    'freenet.de arcor.de posteo.de mailbox.org bluewin.ch sunrise.ch aon.at laposte.net bbox.fr tiscali.it',
    'alice.it tin.it terra.es telefonica.net sapo.pt telenet.be skynet.be ziggo.nl kpnmail.nl xs4all.nl home.nl',
    'planet.nl telia.com online.no onet.pl interia.pl centrum.cz abv.bg btinternet.com btopenworld.com sky.com',
    'talktalk.net virginmedia.com ntlworld.com blueyonder.co.uk eircom.net cox.net charter.net earthlink.net',
    'optonline.net rogers.com shaw.ca sympatico.ca telus.net videotron.ca bigpond.com optusnet.com.au xtra.co.nz',
    'rambler.ru ukr.net sina.com sina.cn sohu.com 139.com 189.cn aliyun.com nate.com docomo.ne.jp ezweb.ne.jp',
    'softbank.ne.jp nifty.com rediffmail.com uol.com.br bol.com.br terra.com.br ig.com.br tutanota.com tuta.io',
    'fastmail.com fastmail.fm hey.com zoho.com',
  ].flatMap((line) => line.split(' ')),
);

/** @param domain in lower case and A-labels */
export function isLargeProvider(domain: string): boolean {
  return mailboxProviderOf(domain) !== null || OTHERS.has(domain);
}
