import fc from 'fast-check';
import { TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { findAccount } from '../../src/accounts/account.ts';
import { acceptInvitation, invite } from '../../src/accounts/invitations.ts';
import { issueBrowserToken } from '../../src/accounts/known-browsers.ts';
import { factorSecret, factorUri, resetSecondFactor, setUpSecondFactor } from '../../src/accounts/second-factor.ts';
import { findSession } from '../../src/accounts/sessions.ts';
import { type Credentials, FAILURE_LIMIT, finishSignIn, signIn } from '../../src/accounts/sign-in.ts';
import type { SigningSecrets } from '../../src/core/config/signing-secrets.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, MINUTE, SECOND } from '../../src/lib/time.ts';
import { anyText } from '../support/any-text.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { addAccount, auditRows, openSession, PASSWORD } from './fixture.ts';

/** The key of RFC 6238, appendix B: `12345678901234567890`. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const STEP = 30 * SECOND;

const codeAt = (instant: number) => new TOTP({ secret: SECRET }).generate({ timestamp: instant });

/** The beginning of a step, well after the one of the set-up. */
const LATER = Math.ceil((NOW + DAY) / STEP) * STEP;

async function addProtected(store: Store, secrets: SigningSecrets = SECRETS) {
  const account = await addAccount(store, 'Mei', ['editor']);
  const token = await openSession(store, account.id);
  const typed = { secret: SECRET, code: codeAt(NOW), token };
  const codes = await setUpSecondFactor({ db: store.db, secrets }, account, typed, NOW);
  return { account, token, codes: codes ?? [] };
}

const MEI: Credentials = { email: 'mei@example.com', password: PASSWORD, client: '192.0.2.7', browsers: [] };

async function firstStep(
  { db }: Store,
  now: number,
  secrets: SigningSecrets = SECRETS,
  browsers: string[] = [],
): Promise<string> {
  const result = await signIn({ db, secrets }, { ...MEI, browsers }, now);
  if (result.kind !== 'second-factor') throw new Error(result.kind);
  return result.step;
}

/** Signs in with the password and a code. */
async function attempt(store: Store, code: string, now: number, secrets: SigningSecrets = SECRETS) {
  const step = await firstStep(store, now, secrets);
  return finishSignIn({ db: store.db, secrets }, { step, code, client: '192.0.2.7' }, now);
}

const kinds = async (results: Promise<{ kind: string }>[]) => (await Promise.all(results)).map(({ kind }) => kind);

describe('the secret of an app', () => {
  it('is in the address of its QR code, which names publication and account', () => {
    expect(factorUri(SECRET, 'mei@example.com', 'Harbour & Gazette')).toBe(
      `otpauth://totp/Harbour%20%26%20Gazette:mei%40example.com?issuer=Harbour%20%26%20Gazette&secret=${SECRET}` +
        '&algorithm=SHA1&digits=6&period=30',
    );
  });

  it('is a new one, whatever a form has, unless that is one', () => {
    expect(factorSecret(SECRET)).toBe(SECRET);
    fc.assert(
      fc.property(
        fc.oneof(anyText(40), fc.constantFrom(SECRET.toLowerCase(), `${SECRET}\n`, `${SECRET}A`)),
        (typed) => {
          expect(factorSecret(typed)).toMatch(/^[A-Z2-7]{32}$/);
          expect(factorSecret(typed)).not.toBe(factorSecret(typed));
        },
      ),
    );
  });
});

forEachDatabase((open) => {
  it('setting up stores the encrypted secret and hashes of ten codes, and ends other sessions', async () => {
    const store = await open();
    const account = await addAccount(store, 'Mei', ['editor']);
    const [token, other] = [await openSession(store, account.id), await openSession(store, account.id)];
    const setUp = (fields: { secret?: string; code?: string }) =>
      setUpSecondFactor(
        { db: store.db, secrets: SECRETS },
        account,
        { secret: SECRET, code: codeAt(NOW), token, ...fields },
        NOW,
      );
    expect(await setUp({ code: codeAt(NOW + 10 * STEP) })).toBeNull();
    expect(await setUp({ secret: 'short' })).toBeNull();
    const codes = (await setUp({ code: ` ${codeAt(NOW).slice(0, 3)} ${codeAt(NOW).slice(3)}` })) ?? [];
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
    const row = JSON.stringify(await store.db.selectFrom('accounts').selectAll().executeTakeFirstOrThrow());
    for (const secret of [SECRET, ...codes]) expect(row.toLowerCase()).not.toContain(secret.toLowerCase());
    expect(await findSession(store.db, other, NOW)).toBeNull();
    expect(await findSession(store.db, token, NOW)).toEqual({ ...account, hasSecondFactor: true });
    expect(await auditRows(store)).toEqual([[`Mei account.second-factor-on account/${account.id}`, {}]]);
    await expect(setUp({})).rejects.toThrow('switch it off first');
  });

  it('the password alone begins no session; a code counts once, and not that of the set-up', async () => {
    const store = await open();
    const { account } = await addProtected(store);
    expect((await attempt(store, codeAt(NOW), NOW)).kind).toBe('wrong');
    expect(await store.db.selectFrom('account_sessions').selectAll().execute()).toHaveLength(1);
    const result = await attempt(store, codeAt(LATER), LATER);
    if (result.kind !== 'signed-in') throw new Error(result.kind);
    expect(await findSession(store.db, result.token, LATER)).toEqual({ ...account, hasSecondFactor: true });
    expect((await attempt(store, codeAt(LATER), LATER + SECOND)).kind).toBe('wrong');
    expect(await auditRows(store)).toContainEqual([`Mei account.sign-in account/${account.id}`, { with: 'code' }]);
  });

  it('of one code sent many times at once, one is accepted', async () => {
    const store = await open();
    await addProtected(store);
    const steps = [await firstStep(store, LATER), await firstStep(store, LATER), await firstStep(store, LATER)];
    const code = codeAt(LATER);
    const store2 = { db: store.db, secrets: SECRETS };
    const sent = steps.map((step) => finishSignIn(store2, { step, code, client: null }, LATER));
    expect((await kinds(sent)).toSorted()).toEqual(['signed-in', 'wrong', 'wrong']);
  });

  it('a clock may be wrong by one step: an earlier code than the last accepted is refused', async () => {
    const store = await open();
    await addProtected(store);
    const outcomes = [];
    for (const steps of [-2, 2, -1, 0, -1, 1, 0]) {
      outcomes.push((await attempt(store, codeAt(LATER + steps * STEP), LATER)).kind);
    }
    expect(outcomes).toEqual([...['wrong', 'wrong', 'signed-in', 'signed-in', 'wrong', 'signed-in', 'wrong']]);
  });

  it('a recovery code replaces a code once, however it is typed', async () => {
    const store = await open();
    const { account, codes } = await addProtected(store);
    const [first = '', second = ''] = codes;
    expect((await attempt(store, ` ${first.toUpperCase().replaceAll('-', ' ')}`, NOW)).kind).toBe('signed-in');
    expect((await attempt(store, first, NOW)).kind).toBe('wrong');
    expect((await attempt(store, second, NOW)).kind).toBe('signed-in');
    expect((await auditRows(store)).at(-1)).toEqual([
      ...[`Mei account.sign-in account/${account.id}`, { with: 'recovery code' }],
    ]);
  });

  it('guesses of codes are limited for the account, whatever the client', async () => {
    const store = await open();
    await addProtected(store);
    const step = await firstStep(store, NOW);
    const guess = (code: string, now = NOW) =>
      finishSignIn({ db: store.db, secrets: SECRETS }, { step, code, client: null }, now);
    for (let n = 0; n < 10; n++) expect((await guess('000000')).kind).toBe('wrong');
    const retryAt = NOW + 5 * MINUTE;
    expect(await guess('000000')).toMatchObject({ kind: 'too-many', retryAt });
  });

  it('a known browser has guesses of codes of its own, which strangers with the password do not use up', async () => {
    const store = await open();
    const { codes } = await addProtected(store);
    const finish = (step: string, code: string) =>
      finishSignIn({ db: store.db, secrets: SECRETS }, { step, code, client: null }, NOW);
    const [stranger, known] = [[], issueBrowserToken(SECRETS, [], MEI.email, NOW)];
    for (const [browsers, guesses] of [
      [stranger, 10],
      [known, 9],
    ] as const) {
      const step = await firstStep(store, NOW, SECRETS, [...browsers]);
      for (let n = 0; n < guesses; n++) expect((await finish(step, '000000')).kind).toBe('wrong');
    }
    const right = await firstStep(store, NOW, SECRETS, known);
    expect((await finish(await firstStep(store, NOW), codes[0] ?? '')).kind).toBe('too-many');
    expect((await finish(right, codes[0] ?? '')).kind).toBe('signed-in');
    expect((await finish(right, codes[1] ?? '')).kind).toBe('too-many');
  });

  it('the right password gives guesses of it back only with the code', async () => {
    const store = await open();
    const { codes } = await addProtected(store);
    const wrong = async () => (await signIn({ db: store.db, secrets: SECRETS }, { ...MEI, password: 'x' }, NOW)).kind;
    const finish = (step: string) =>
      finishSignIn({ db: store.db, secrets: SECRETS }, { step, code: codes[0] ?? '', client: null }, NOW);
    let step = '';
    for (let n = 0; n < FAILURE_LIMIT.count; n++) step = await firstStep(store, NOW);
    expect(await wrong()).toBe('too-many');
    expect((await finish(step)).kind).toBe('signed-in');
    expect(await wrong()).toBe('wrong');
  });

  it('the text between the two steps works for five minutes, for its password, and cannot be made up', async () => {
    const store = await open();
    const { account, codes } = await addProtected(store);
    const step = await firstStep(store, NOW);
    const finish = (step: string, now = NOW) =>
      finishSignIn({ db: store.db, secrets: SECRETS }, { step, code: codes[0] ?? '', client: null }, now);
    const changed = `${step.slice(0, 30)}${step[30] === 'A' ? 'B' : 'A'}${step.slice(31)}`;
    for (const wrong of ['', 'x', '1.2.3', changed]) expect((await finish(wrong)).kind).toBe('expired');
    await fc.assert(
      fc.asyncProperty(anyText(80), async (text) => {
        expect((await finish(text)).kind).toBe('expired');
      }),
      { numRuns: 30 },
    );
    expect((await finish(step, NOW + 5 * MINUTE)).kind).toBe('expired');
    await store.db.updateTable('accounts').set({ disabled_at: NOW }).execute();
    expect((await finish(step)).kind).toBe('expired');
    await store.db.updateTable('accounts').set({ disabled_at: null }).execute();
    // A made-up one takes nothing of the limit of the account.
    expect((await finish(step)).kind).toBe('signed-in');
    await store.db.updateTable('accounts').set({ password: 'another' }).where('id', '=', account.id).execute();
    expect((await finish(step)).kind).toBe('expired');
  });

  it('a code works after the signing secret was rotated, and then without the earlier one', async () => {
    const store = await open();
    const [old, current]: [string, string] = ['o'.repeat(40), 'n'.repeat(40)];
    const { codes } = await addProtected(store, [old]);
    const alone = attempt(store, codeAt(LATER), LATER, [current]);
    await expect(alone).rejects.toThrow('put that one into DAYWIRE_SECRET_PREVIOUS, or reset the second factor');
    expect((await attempt(store, codes[0] ?? '', LATER, [current])).kind).toBe('signed-in');
    expect((await attempt(store, codeAt(LATER), LATER, [current, old])).kind).toBe('signed-in');
    const next = LATER + STEP;
    expect((await attempt(store, codeAt(next), next, [current])).kind).toBe('signed-in');
  });

  it('a link for a new password is no way around it', async () => {
    const store = await open();
    await addProtected(store);
    const invited = await invite(store.db, 'console', { email: 'mei@example.com', roles: [] }, NOW);
    if (invited.kind !== 'invited') throw new Error(invited.kind);
    const acceptance = { name: '', password: 'four lanterns by the quay', publication: 'Harbour Gazette' };
    const accepted = await acceptInvitation(store.db, invited.token, acceptance, NOW);
    expect(accepted).toMatchObject({ kind: 'accepted', token: null });
    expect(await store.db.selectFrom('account_sessions').selectAll().execute()).toEqual([]);
  });

  it('resetting a lost one ends the sessions, and is audited; there must be one', async () => {
    const store = await open();
    const { account, token } = await addProtected(store);
    await resetSecondFactor(store.db, 'console', account.id, NOW);
    expect(await findSession(store.db, token, NOW)).toBeNull();
    expect((await findAccount(store.db, account.id))?.hasSecondFactor).toBe(false);
    const { recovery_codes } = await store.db.selectFrom('accounts').selectAll().executeTakeFirstOrThrow();
    expect(recovery_codes).toBeNull();
    const detail = { name: 'Mei' };
    expect((await auditRows(store)).at(-1)).toEqual([
      ...[`console account.second-factor-reset account/${account.id}`, detail],
    ]);
    await expect(resetSecondFactor(store.db, 'console', account.id, NOW)).rejects.toThrow('has no second factor');
    await expect(resetSecondFactor(store.db, 'console', 99, NOW)).rejects.toThrow('has no second factor');
  });
});
