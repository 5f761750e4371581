/**
 * Mailbox providers with many unrelated people each, by the domains of addresses. A domain of a company or a person may
 * be hosted by one of them, too: that is not known here.
 */

export interface MailboxProvider {
  /** Used in commands, alert keys and stored notices: never changed. */
  id: string;
  name: string;
  /** In lower case and A-labels. */
  domains: readonly string[];
}

const LIST: readonly (readonly [id: string, name: string, domains: string])[] = [
  ['gmail', 'Gmail', 'gmail.com googlemail.com'],
  [
    'yahoo',
    'Yahoo and AOL',
    'yahoo.com yahoo.co.uk yahoo.co.in yahoo.in yahoo.de yahoo.fr yahoo.it yahoo.es yahoo.ie yahoo.se ' +
      'yahoo.no yahoo.dk yahoo.pl yahoo.gr yahoo.ro yahoo.ca yahoo.com.au yahoo.co.nz yahoo.com.br yahoo.com.ar ' +
      'yahoo.com.mx yahoo.com.hk yahoo.com.tw yahoo.com.sg yahoo.com.ph yahoo.com.vn yahoo.co.id yahoo.co.th ' +
      'yahoo.com.tr yahoo.co.za ymail.com rocketmail.com myyahoo.com aol.com aol.co.uk aol.de aol.fr aim.com ' +
      'verizon.net att.net sbcglobal.net bellsouth.net',
  ],
  ['yahoo-japan', 'Yahoo Japan', 'yahoo.co.jp ymail.ne.jp'],
  [
    'microsoft',
    'Microsoft',
    'outlook.com outlook.de outlook.fr outlook.it outlook.es outlook.jp outlook.com.br outlook.com.au ' +
      'hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.it hotmail.es hotmail.nl hotmail.be hotmail.se ' +
      'hotmail.no hotmail.ca hotmail.co.jp hotmail.com.br hotmail.com.ar live.com live.co.uk live.de live.fr ' +
      'live.nl live.it live.be live.se live.no live.ca live.jp live.com.au live.com.mx msn.com passport.com ' +
      'windowslive.com',
  ],
  ['apple', 'Apple', 'icloud.com me.com mac.com'],
  ['gmx', 'GMX and WEB.DE', 'gmx.com gmx.net gmx.de gmx.at gmx.ch gmx.eu gmx.org gmx.info web.de mail.com email.de'],
  ['telekom', 'Telekom', 't-online.de magenta.de'],
  ['proton', 'Proton', 'proton.me protonmail.com protonmail.ch pm.me'],
  ['orange', 'Orange', 'orange.fr wanadoo.fr'],
  ['free', 'Free', 'free.fr'],
  ['sfr', 'SFR', 'sfr.fr neuf.fr'],
  ['libero', 'Libero', 'libero.it virgilio.it iol.it inwind.it'],
  ['wp', 'WP', 'wp.pl o2.pl'],
  ['seznam', 'Seznam', 'seznam.cz email.cz'],
  ['comcast', 'Comcast', 'comcast.net'],
  ['yandex', 'Yandex', 'yandex.ru yandex.com yandex.by yandex.kz yandex.ua ya.ru'],
  ['mail-ru', 'Mail.ru', 'mail.ru bk.ru inbox.ru list.ru internet.ru'],
  ['qq', 'QQ', 'qq.com vip.qq.com foxmail.com'],
  ['netease', 'NetEase', '163.com vip.163.com 126.com yeah.net'],
  ['naver', 'Naver', 'naver.com'],
  ['daum', 'Daum', 'daum.net hanmail.net'],
];

export const MAILBOX_PROVIDERS: readonly MailboxProvider[] = LIST.map(([id, name, domains]) => ({
  id,
  name,
  domains: domains.split(' '),
}));

const BY_DOMAIN = new Map(MAILBOX_PROVIDERS.flatMap((one) => one.domains.map((domain) => [domain, one] as const)));

/** @param domain in lower case and A-labels @returns null if it is not known who runs its mailboxes */
export function mailboxProviderOf(domain: string): MailboxProvider | null {
  return BY_DOMAIN.get(domain) ?? null;
}

/** @returns null if there is none of this id */
export function mailboxProviderById(id: string): MailboxProvider | null {
  return MAILBOX_PROVIDERS.find((one) => one.id === id) ?? null;
}

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
