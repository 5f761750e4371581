/**
 * The process that bench/desk-live.ts measures: `daywire start` with the roles web, desk and deliver. It prints where
 * it serves, closes an edition when a line comes in, prints the edition, and runs until its input ends.
 */
import { once } from 'node:events';
import { openDesk } from '../src/app/desk/routes.ts';
import { editionDeskPath } from '../src/delivery/desk/editions/edition-names.ts';
import { type DeliveringSetup, printLine, startDeliveringServer } from './delivering-server.ts';
import { closeLarge, composeLarge } from './delivery-edition.ts';
import { signInAs } from './desk-client.ts';

export interface DeskAddress {
  /** Of the site, with a slash at its end. */
  url: string;
  accountId: number;
  /** Of an operator's session. */
  token: string;
}

export interface DeskEdition {
  id: number;
  queued: number;
  /** Below the path of the desk: the pages that an operator watches while it is delivered. */
  pages: string[];
}

const setup = JSON.parse(process.argv[2] ?? '') as DeliveringSetup;
const { app, url, stop } = await startDeliveringServer(setup, { roles: ['web', 'desk', 'deliver'], openDesk });
if (url === null) throw new Error('the server does not serve the desk');
const { store, config } = app;
const session = await signInAs(app, 'operator');
const composed = await composeLarge(store, config);
printLine({ url, ...session } satisfies DeskAddress);
await once(process.stdin, 'data');
const { queued, edition } = await closeLarge(store, config, composed);
const pages = ['', '/deliveries', `/deliveries/${edition.id}`, editionDeskPath(edition)];
printLine({ id: edition.id, queued, pages } satisfies DeskEdition);
if (!process.stdin.readableEnded) await once(process.stdin, 'end');
await stop();
