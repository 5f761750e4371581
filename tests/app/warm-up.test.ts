import { expect, it } from 'vitest';
import { warmUp } from '../../src/app/start.ts';
import { openTestLog } from '../support/test-log.ts';

const url = 'https://wire.example.com/news/';
const sections = ['world', 'markets'];

/** A site that records what is requested of it. */
function openSite(respond: (path: string) => Response): { request: (path: string) => Response; requested: string[] } {
  const requested: string[] = [];
  const request = (path: string): Response => {
    requested.push(path);
    return respond(path);
  };
  return { request, requested };
}

it('the first pages are requested below the path of the site, until daywire stops', async () => {
  const log = openTestLog();
  const site = openSite(() => new Response('page'));
  await warmUp(site as never, { url, sections, stop: new AbortController().signal, log });
  expect(site.requested).toEqual(['/news/', '/news/archive', '/news/newsletters', '/news/sections/world']);
  const stopping = new AbortController();
  const stopped = openSite(() => {
    stopping.abort();
    return new Response('page');
  });
  await warmUp(stopped as never, { url, sections, stop: stopping.signal, log });
  expect(stopped.requested).toEqual(['/news/']);
});

it('a page that cannot be rendered at the start is logged, and stops nothing', async () => {
  const log = openTestLog();
  const site = openSite(() => {
    throw new Error('no such template');
  });
  await warmUp(site as never, { url, sections, stop: new AbortController().signal, log });
  expect(log.lines.join()).toContain('no such template');
});
