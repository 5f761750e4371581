/**
 * Groups of fields as mail has them: `Name: value` lines, continued by lines that begin with white space, and an empty line between
 * groups. Delivery reports (RFC 3464 §2.1), feedback reports (RFC 5965 §3) and headers (RFC 5322 §2.2) are all written so.
 */

/** Fields by lower-case name, each with its values in order, unfolded. */
export type FieldGroup = ReadonlyMap<string, readonly string[]>;

/** The groups of a text; lines that are no field are passed over, and so are groups without one. */
export function readFieldGroups(text: string): FieldGroup[] {
  const groups: Map<string, string[]>[] = [];
  let group = new Map<string, string[]>();
  let values: string[] | null = null;
  const close = (): void => {
    if (group.size > 0) groups.push(group);
    group = new Map();
    values = null;
  };
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.trim() === '') {
      close();
      continue;
    }
    if (/^[ \t]/.test(line)) {
      if (values !== null) values[values.length - 1] += ` ${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) {
      values = null;
      continue;
    }
    values = group.get(name) ?? [];
    values.push(line.slice(colon + 1).trim());
    group.set(name, values);
  }
  close();
  return groups;
}

/** The first value of a field, or null. */
export function fieldOf(fields: FieldGroup, name: string): string | null {
  return fields.get(name)?.[0] ?? null;
}
