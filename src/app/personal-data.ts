/**
 * The tables with data about subscribers, of all capabilities. A test compares them with the schema, and docs/law.md
 * with them.
 */
import type { PersonalData, PersonalTables } from '../core/capability.ts';
import { CAPABILITIES } from './capabilities.ts';

export const PERSONAL_DATA: PersonalTables = Object.assign({}, ...CAPABILITIES.map((one) => one.personalData));

/** The list as rows of a Markdown table: table, what, why, kept, export, erasure. */
export function personalDataTable(): string[] {
  return Object.entries<PersonalData>(PERSONAL_DATA).map(([table, data]) => {
    const exported = data.exportedAs === null ? `no: ${data.notExported}` : `\`${data.exportedAs}\``;
    const erased = data.remains === undefined ? data.erasure : `${data.erasure}: ${data.remains}`;
    return `| \`${table}\` | ${data.what} | ${data.why} | ${data.kept} | ${exported} | ${erased} |`;
  });
}
