import { expect, it } from 'vitest';
import { outletState, siteState } from '../../../src/sources/desk/source-states.ts';
import { NOW } from '../../support/clock.ts';

it('an outlet needs somebody where daywire cannot help itself, or items wait', () => {
  const needs = (state: Parameters<typeof outletState>[0]['state'], held = 0) =>
    outletState({ pausedAt: null, state, held }).needsSomebody;
  expect((['active', 'moved', 'dormant', 'waiting', null] as const).map((state) => needs(state))).toEqual(
    new Array(5).fill(false),
  );
  expect((['held', 'blocked', 'failing', 'gone'] as const).map((state) => needs(state))).toEqual(
    new Array(4).fill(true),
  );
  expect(needs('active', 3)).toBe(true);
  expect(outletState({ pausedAt: NOW, state: 'failing', held: 0 })).toMatchObject({
    word: 'paused',
    needsSomebody: false,
  });
});

it('a site needs somebody while it fails, or posts that are gone wait', () => {
  const site = { pausedAt: null, failingSince: null, polledAt: NOW, withdrawn: 0 };
  expect(siteState(site)).toMatchObject({ word: 'read', needsSomebody: false });
  expect(siteState({ ...site, polledAt: null })).toMatchObject({ word: 'not polled yet', needsSomebody: false });
  expect(siteState({ ...site, failingSince: NOW })).toMatchObject({ word: 'failing', needsSomebody: true });
  expect(siteState({ ...site, withdrawn: 2 })).toMatchObject({ word: 'read', needsSomebody: true });
  expect(siteState({ ...site, failingSince: NOW, pausedAt: NOW })).toMatchObject({ word: 'paused' });
});
