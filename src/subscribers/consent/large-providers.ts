/**
 * Domains under which many unrelated people have their mailboxes: requests for them are not limited by domain.
 */
const LARGE_PROVIDERS = new Set(
  [
    'gmail.com googlemail.com outlook.com hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es',
    'live.com live.co.uk live.de live.fr live.nl live.it msn.com passport.com icloud.com me.com mac.com',
    'yahoo.com yahoo.co.uk yahoo.co.jp yahoo.co.in yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.ca yahoo.com.au',
    'yahoo.com.br yahoo.com.hk yahoo.com.tw yahoo.com.sg ymail.com rocketmail.com aol.com aim.com',
    'gmx.com gmx.net gmx.de gmx.at gmx.ch mail.com web.de t-online.de freenet.de arcor.de posteo.de mailbox.org',
    'bluewin.ch sunrise.ch aon.at orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr bbox.fr libero.it',
    'virgilio.it tiscali.it alice.it tin.it terra.es telefonica.net sapo.pt telenet.be skynet.be ziggo.nl kpnmail.nl',
    'xs4all.nl home.nl planet.nl telia.com online.no wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz abv.bg',
    'btinternet.com btopenworld.com sky.com talktalk.net virginmedia.com ntlworld.com blueyonder.co.uk eircom.net',
    'comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net optonline.net',
    'rogers.com shaw.ca sympatico.ca telus.net videotron.ca bigpond.com optusnet.com.au xtra.co.nz',
    'mail.ru bk.ru inbox.ru list.ru yandex.ru yandex.com ya.ru rambler.ru ukr.net',
    'qq.com foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com 139.com 189.cn aliyun.com',
    'naver.com hanmail.net daum.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp nifty.com',
    'rediffmail.com uol.com.br bol.com.br terra.com.br ig.com.br hotmail.com.br outlook.com.br',
    'proton.me protonmail.com pm.me tutanota.com tuta.io fastmail.com fastmail.fm hey.com zoho.com',
  ].flatMap((line) => line.split(' ')),
);

/** @param domain in lower case and A-labels */
export function isLargeProvider(domain: string): boolean {
  return LARGE_PROVIDERS.has(domain);
}
