/** What a failed sign-in does: counted, since times vary. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { disableAccount } from '../../src/accounts/change-account.ts';
import { hashPassword } from '../../src/accounts/passwords.ts';
import { signIn } from '../../src/accounts/sign-in.ts';
import { NOW } from '../support/clock.ts';
import { openMigrated } from '../support/databases.ts';
import { recordQueries } from '../support/recorded-queries.ts';
import { SECRETS } from '../support/sample.ts';
import { addAccount } from './fixture.ts';

type Argon2 = typeof crypto.argon2;

const argon2: Argon2 = crypto.argon2;
const computed: unknown[] = [];

/** Takes no time, and differs with the password. */
const counted: Argon2 = (algorithm, { message, nonce, ...parameters }, done) => {
  computed.push([algorithm, parameters]);
  const digest = crypto
    .createHash('sha256')
    .update(message as Buffer)
    .update(nonce as Buffer)
    .digest();
  done(null, digest as Parameters<typeof done>[1]);
};

function replaceArgon2(by: Argon2): void {
  Object.assign(crypto, { argon2: by });
  syncBuiltinESMExports();
}

beforeEach(() => replaceArgon2(counted));
afterEach(() => replaceArgon2(argon2));

it('an unknown address, a disabled account and a wrong password cost the same queries and computation', async () => {
  const { store, takeQueries } = recordQueries(await openMigrated());
  const password = (await hashPassword('seven herons at dawn')) as string;
  await addAccount(store, 'Zoe', ['admin'], { password });
  const ivo = await addAccount(store, 'Ivo', ['editor'], { password });
  await disableAccount(store.db, 'console', ivo.id, NOW);
  const workOf = async (email: string, typed: string) => {
    computed.length = 0;
    takeQueries();
    const result = await signIn(
      { db: store.db, secrets: SECRETS },
      { email, password: typed, client: null, browsers: [] },
      NOW,
    );
    expect([email, result.kind]).toEqual([email, 'wrong']);
    return { computed: [...computed], queries: takeQueries().map(({ sql }) => sql) };
  };
  const unknown = await workOf('nobody@example.com', 'seven herons at dawn');
  expect(unknown.computed).toEqual([['argon2id', { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }]]);
  expect(unknown.queries.length).toBeGreaterThan(2);
  expect(await workOf('zoe@example.com', 'a wrong password')).toEqual(unknown);
  expect(await workOf(ivo.email, 'seven herons at dawn')).toEqual(unknown);
  expect(await workOf('no address', '')).toEqual(unknown);
});
