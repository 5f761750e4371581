/**
 * The time zones that a reader can choose from.
 */

export interface ZoneGroup {
  region: string;
  zones: { id: string; place: string }[];
}

// Intl lists some zones by names that their places have given up (tz database, file `backward`).
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
    // Etc and the like are for machines, but for UTC.
    (zone) =>
      zone === 'UTC' ||
      /^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)\//.test(zone),
  ),
);

/** In the order of the alphabet. */
export const ZONE_GROUPS: readonly ZoneGroup[] = [
  ...Map.groupBy(ZONES, (zone) => (zone === 'UTC' ? 'Everywhere' : zone.split('/', 1)[0])),
]
  .map(([region = '', zones]) => ({
    region,
    zones: zones.map((id) => ({ id, place: placeOf(id) })).sort((a, b) => a.place.localeCompare(b.place, 'en')),
  }))
  .sort((a, b) => a.region.localeCompare(b.region, 'en'));

/** Whether the select offers that zone. */
export function isOffered(zone: string): boolean {
  return ZONES.has(zone);
}

/** `America/Argentina/Buenos_Aires` is Buenos Aires, Argentina. */
export function placeOf(zone: string): string {
  return zone.split('/').slice(1).reverse().join(', ').replaceAll('_', ' ') || zone;
}
