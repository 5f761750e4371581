/** The time zones that a subscriber can choose from, and the list that offers them. */
import type { Locale } from '../../lib/locale/locale.ts';
import { renderOnce } from '../../web/pages/fragments.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { zoneText } from './schedule-text.ts';

// Intl lists some zones by former names of their places (tz database, file `backward`).
const RENAMED: Record<string, string> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Catamarca': 'America/Argentina/Catamarca',
  'America/Coral_Harbour': 'America/Atikokan',
  'America/Cordoba': 'America/Argentina/Cordoba',
  'America/Godthab': 'America/Nuuk',
  'America/Indianapolis': 'America/Indiana/Indianapolis',
  'America/Jujuy': 'America/Argentina/Jujuy',
  'America/Louisville': 'America/Kentucky/Louisville',
  'America/Mendoza': 'America/Argentina/Mendoza',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Enderbury': 'Pacific/Kanton',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
};

const ZONES = new Set(
  [...Intl.supportedValuesOf('timeZone').map((zone) => RENAMED[zone] ?? zone), 'UTC'].filter(
    // Etc and the like are for machines.
    (zone) =>
      zone === 'UTC' ||
      /^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)\//.test(zone),
  ),
);

/** In alphabetical order. The names of places are those of the tz database. */
export function zoneGroups(locale: Locale): { region: string; zones: { id: string; place: string }[] }[] {
  return [...Map.groupBy(ZONES, (zone) => zone.split('/', 1)[0] as string)]
    .map(([region, zones]) => ({
      region: locale.text('schedule.region', { region }),
      zones: zones.map((id) => ({ id, place: placeOf(id) })).sort((a, b) => a.place.localeCompare(b.place, 'en')),
    }))
    .sort((a, b) => a.region.localeCompare(b.region, locale.language));
}

/** Whether the list offers that zone. */
export function isOffered(zone: string): boolean {
  return ZONES.has(zone);
}

/** `Buenos Aires, Argentina` for `America/Argentina/Buenos_Aires`. */
function placeOf(zone: string): string {
  return zone.split('/').slice(1).reverse().join(', ').replaceAll('_', ' ') || zone;
}

/** The list as templates show it. @param chosen a zone; empty for the publication's */
export async function zoneSelect(web: WebContext, chosen: string) {
  return {
    chosen: chosen === '' ? null : { id: chosen, place: isOffered(chosen) ? placeOf(chosen) : chosen },
    /** The zone that applies without a choice. */
    standard: zoneText(web.view.zone, web.locale),
    /** HTML. */
    options: await renderOnce(web, 'zone-options', '', () => ({ groups: zoneGroups(web.locale) })),
  };
}
