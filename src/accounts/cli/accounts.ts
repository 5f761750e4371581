/** Commands about the accounts of the desk. */
import { type Command, Option } from 'commander';
import { type CliContext, CommandError, type JsonOption, jsonCommand, printResult } from '../../core/cli/context.ts';
import { table } from '../../core/cli/text.ts';
import type { Db } from '../../core/store/store.ts';
import { localDateTime } from '../../lib/time.ts';
import { type Account, CONSOLE, findAccountByEmail, listAccounts } from '../account.ts';
import { AccountError, disableAccount, enableAccount } from '../change-account.ts';
import { type Invitation, invite, listInvitations } from '../invitations.ts';
import { ACCOUNT_ROLES, type AccountRole } from '../permissions.ts';
import { resetSecondFactor } from '../second-factor.ts';
import { insecureSiteMessage, keepsSessions } from '../secure-site.ts';

export function addAccountCommands(program: Command, cli: CliContext): void {
  const accounts = program.command('accounts').description('accounts of the desk, the pages for editors at /desk');

  jsonCommand(
    accounts,
    'invite',
    'print a link that works once: it creates an account, or sets a new password of one that exists. The first ' +
      'account is an admin',
  )
    .argument('<address>', 'the email address to sign in with')
    .addOption(new Option('--role <role...>', 'of a new account').choices(ACCOUNT_ROLES))
    .action((address: string, options: JsonOption & { role?: AccountRole[] }) => inviteAddress(cli, address, options));

  jsonCommand(accounts, 'list', 'list accounts and open invitations').action((options: JsonOption) =>
    list(cli, options),
  );

  accounts
    .command('disable')
    .description('end the sessions of an account, and block further sign-ins')
    .argument('<address>')
    .action((address: string) => change(cli, address, disableAccount, 'can no longer sign in'));

  accounts
    .command('enable')
    .description('let a disabled account sign in again')
    .argument('<address>')
    .action((address: string) => change(cli, address, enableAccount, 'may sign in'));

  accounts
    .command('reset-second-factor')
    .description('let an account whose authenticator app and recovery codes are lost sign in with its password alone')
    .argument('<address>')
    .action((address: string) => change(cli, address, resetSecondFactor, 'signs in without a second factor'));
}

function inviteAddress(
  cli: CliContext,
  email: string,
  { role = [], ...options }: JsonOption & { role?: AccountRole[] },
): Promise<void> {
  return cli.withApp(async ({ store, config, clock }) => {
    const invited = await invite(store.db, CONSOLE, { email, roles: role }, clock());
    if (invited.kind === 'refused') throw new CommandError(`${email}: ${refusalText(invited)}`);
    const { publication } = config;
    if (!keepsSessions(publication.url)) cli.printError(insecureSiteMessage(publication.url));
    const link = `${publication.url}/desk/invitation/${invited.token}`;
    const { invitation } = invited;
    printResult(cli, options, { link, ...invitation }, () => formatInvitation(invitation, link, publication.zone));
  });
}

/** The reasons are sentences for a page; roles have another name here. */
function refusalText({ field, reason }: { field: 'email' | 'roles'; reason: string }): string {
  return field === 'roles' ? `${reason} Use --role, such as "--role admin".` : reason;
}

function list(cli: CliContext, options: JsonOption): Promise<void> {
  return cli.withApp(async ({ store, config, clock }) => {
    const accounts = await listAccounts(store.db);
    const invitations = await listInvitations(store.db, clock());
    printResult(cli, options, { accounts, invitations }, () =>
      formatAccounts(accounts, invitations, config.publication.zone).join('\n'),
    );
  });
}

function change(
  cli: CliContext,
  email: string,
  act: (db: Db, actor: typeof CONSOLE, id: number, now: number) => Promise<void>,
  outcome: string,
): Promise<void> {
  return cli.withApp(async ({ store, clock }) => {
    const { id, name } = await accountOf(store.db, email);
    try {
      await act(store.db, CONSOLE, id, clock());
    } catch (error) {
      if (error instanceof AccountError) throw new CommandError(`${email}: ${error.message}`);
      throw error;
    }
    cli.print(`${name} (${email}) ${outcome}`);
  });
}

/** @throws CommandError */
async function accountOf(db: Db, email: string): Promise<Account> {
  const account = await findAccountByEmail(db, email);
  if (account !== null) return account;
  throw new CommandError(`${email}: there is no such account: see "daywire accounts list"`);
}

function formatInvitation({ email, account, roles, expiresAt }: Invitation, link: string, zone: string): string {
  const purpose =
    account === null ? `create an account (${roles.join(', ')})` : `set a new password of ${account.name}`;
  return [
    `Open this link to ${purpose} for ${email}. It works once, until ${localDateTime(expiresAt, zone)} (${zone}):`,
    link,
  ].join('\n');
}

function formatAccounts(
  accounts: readonly (Account & { lastSeenAt: number | null })[],
  invitations: readonly Invitation[],
  zone: string,
): string[] {
  if (accounts.length + invitations.length === 0) {
    return ['no accounts: "daywire accounts invite ADDRESS --role admin" prints a link for the first one'];
  }
  const time = (instant: number | null): string => (instant === null ? '' : localDateTime(instant, zone));
  const rows = accounts.map(({ name, email, roles, disabledAt, lastSeenAt }) => [
    ...[name, email, roles.join(', '), disabledAt === null ? '' : `disabled ${time(disabledAt)}`, time(lastSeenAt)],
  ]);
  const open = invitations.map(({ email, account, roles, expiresAt }) => {
    const purpose = account === null ? roles.join(', ') : `new password of ${account.name}`;
    return `invited: ${email} (${purpose}), until ${time(expiresAt)}`;
  });
  return [...(rows.length === 0 ? [] : table([['name', 'address', 'roles', 'status', 'last seen'], ...rows])), ...open];
}
