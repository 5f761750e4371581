import { describe, expect, it } from 'vitest';
import { acceptInvitation } from '../../../src/accounts/invitations.ts';
import { openStore } from '../../../src/core/store/store.ts';
import { editConfig, type Folder, newFolder, storedRows } from '../../support/command.ts';

const accounts = (folder: Folder, ...args: string[]) => folder.run(['accounts', ...args]);

/** Opens a link as a browser would. */
async function accept(folder: Folder, output: string, name: string): Promise<void> {
  const [, token = ''] = /\/desk\/invitation\/([\w-]{43})\n/.exec(output) ?? [];
  const store = await openStore({ path: `${folder.path}/var/daywire.db` });
  const acceptance = { name, password: 'four lanterns by the quay', publication: 'Harbour Gazette' };
  expect((await acceptInvitation(store.db, token, acceptance, Date.now())).kind).toBe('accepted');
  await store.close();
}

describe.concurrent('daywire accounts', () => {
  it('makes the first admin by a link, then colleagues, and lists, disables and enables them', async () => {
    const folder = newFolder('sample');
    expect((await accounts(folder, 'list')).stdout).toBe(
      'no accounts: "daywire accounts invite ADDRESS --role admin" prints a link for the first one\n',
    );
    const editor = await accounts(folder, 'invite', 'mei@example.com', '--role', 'editor');
    expect([editor.code, editor.stderr]).toEqual([
      1,
      'daywire: mei@example.com: The first account must be an admin. Use --role, such as "--role admin".\n',
    ]);
    const first = await accounts(folder, 'invite', 'mei@example.com', '--role', 'admin', 'editor');
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toMatch(
      /^Open this link to create an account \(editor, admin\) for mei@example\.com\. It works once, until .*:\nhttp:\/\//,
    );
    await accept(folder, first.stdout, 'Mei');
    const second = await accounts(folder, 'invite', 'ivo@example.com', '--role', 'operator', '--json');
    const { link, ...invitation } = JSON.parse(second.stdout) as { link: string };
    expect(link).toMatch(/\/desk\/invitation\/[\w-]{43}$/);
    expect(invitation).toMatchObject({ email: 'ivo@example.com', roles: ['operator'], invitedBy: 'console' });
    const again = await accounts(folder, 'invite', 'mei@example.com');
    expect(again.stdout).toMatch(/^Open this link to set a new password of Mei for mei@example\.com\./);
    const listed = await accounts(folder, 'list');
    expect(listed.stdout).toMatch(
      /^name +address +roles +status +last seen\nMei +mei@example\.com +editor, admin +\d{4}-/,
    );
    expect(listed.stdout).toContain('invited: ivo@example.com (operator), until ');
    expect(listed.stdout).toContain('invited: mei@example.com (new password of Mei), until ');
    expect((await accounts(folder, 'disable', 'mei@example.com')).stderr).toBe(
      'daywire: mei@example.com: Mei is the only admin: make somebody else an admin first.\n',
    );
    await accept(folder, `${link}\n`, 'Ivo');
    expect((await accounts(folder, 'disable', 'IVO@example.com')).stdout).toBe(
      'Ivo (IVO@example.com) can no longer sign in\n',
    );
    expect((await accounts(folder, 'list')).stdout).toMatch(/Ivo +ivo@example\.com +operator +disabled \d{4}-/);
    expect((await accounts(folder, 'enable', 'ivo@example.com')).stdout).toBe('Ivo (ivo@example.com) may sign in\n');
    expect((await accounts(folder, 'enable', 'nobody@example.com')).stderr).toBe(
      'daywire: nobody@example.com: there is no such account: see "daywire accounts list"\n',
    );
    expect((await accounts(folder, 'reset-second-factor', 'ivo@example.com')).stderr).toBe(
      'daywire: ivo@example.com: The account has no second factor.\n',
    );
    const { audit_log: log } = storedRows(folder) as Record<
      string,
      { actor: string; act: string; account_id: unknown }[]
    >;
    expect(log?.map(({ actor, act }) => `${actor} ${act}`)).toEqual([
      ...['console account.invite', 'Mei account.create', 'console account.invite', 'console account.password-link'],
      ...['Ivo account.create', 'console account.disable', 'console account.enable'],
    ]);
  });

  it('and "daywire check" warn where browsers would not keep the cookie of a session', async () => {
    const folder = newFolder('sample');
    editConfig(folder, 'url: http://127.0.0.1:8080', 'url: http://news.example.com');
    const warning = 'publication.url is http://news.example.com: nobody can sign in to the desk';
    expect((await folder.run(['check'])).stdout).not.toContain(warning);
    const { stderr, code } = await accounts(folder, 'invite', 'mei@example.com', '--role', 'admin');
    expect([code, stderr]).toEqual([0, expect.stringContaining(`daywire: ${warning}`)]);
    expect((await folder.run(['check'])).stdout).toContain(`warning  ${warning}`);
  });

  it('refuses an unknown role, and names those that there are', async () => {
    const { code, stderr } = await accounts(newFolder('sample'), 'invite', 'mei@example.com', '--role', 'boss');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/Allowed choices are editor, operator, audience, admin/)]);
  });
});
