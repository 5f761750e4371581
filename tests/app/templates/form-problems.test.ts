import { describe, expect, it } from 'vitest';
import { formProblems } from '../../../src/app/templates/form-problems.ts';

const SITE = 'https://news.example/daily';
const TOKEN = 'v1.abcdefghijklmnopqrstuvwxyz';

function problemsOf(html: string, path: string, isForm = true): string[] {
  return formProblems({ path, html, isForm }, SITE);
}

describe('the form of an unsubscribe page', () => {
  const path = `/unsubscribe/${TOKEN}`;

  it.each([
    '<form method="post"><input type="hidden" name="unsubscribe" value="yes"><button>Go</button></form>',
    '<FORM METHOD=POST ACTION=""><button name=unsubscribe value=yes>Go</button></FORM>',
    `<form id="f" method="post" action="${SITE}${path}"></form><input form="f" name="unsubscribe" value="yes">`,
    `<form method="post" action="/daily${path}"><input name="unsubscribe" value="yes"></form>`,
  ])('is complete as %s', (html) => {
    expect(problemsOf(html, path)).toEqual([]);
  });

  it.each([
    '<form method="post"><button>Go</button></form>',
    '<form method="post"><input name="unsubscribe" value="on"></form>',
    '<form method="post"><input name="unsubscribe" value="yes" disabled></form>',
    '<input name="unsubscribe" value="yes"><form method="post"></form>',
  ])('lacks its field as %s', (html) => {
    expect(problemsOf(html, path)).toEqual([
      expect.stringMatching(/^its form lacks the field "unsubscribe" .*add <input type="hidden" name="unsubscribe"/),
    ]);
  });

  it.each([
    '<p>Unsubscribe</p>',
    '<form method="get"><input name="unsubscribe" value="yes"></form>',
    '<form method="post" action="https://other.example/x"></form>',
  ])('is missing as %s', (html) => {
    expect(problemsOf(html, path)).toEqual([expect.stringMatching(/^it has no form that posts to its own address/)]);
    expect(problemsOf(html, path, false)).toEqual([]);
  });
});

it('names each field that a form of preferences or to subscribe lacks', () => {
  const preferences = problemsOf('<form method="post"><select name="zone"></select></form>', `/preferences/${TOKEN}`);
  expect(preferences).toEqual([
    expect.stringMatching(/lacks the field "newsletter"/),
    expect.stringMatching(/lacks the field "paused"/),
    expect.stringMatching(/lacks the field "consent" so that it is not recorded what people agree to: add /),
  ]);
  const subscribe = problemsOf('<form method="post" action="/daily/subscribe"></form>', '/');
  expect(subscribe).toEqual([
    expect.stringMatching(/lacks the field "email"/),
    expect.stringMatching(/lacks the field "newsletter"/),
    expect.stringMatching(/lacks the field "consent" .*consent: form\.consent/),
  ]);
});

it('names a form that posts to an account address which does not exist, and no other address', () => {
  const html = `<form method="post" action="/daily/preferences/${TOKEN}/data"></form>
    <form method="post" action="/search"></form><form method="post" action="/daily/search"></form>`;
  expect(problemsOf(html, '/newsletters')).toEqual([
    'its form posts to /preferences/:token/data, where daywire accepts no form',
  ]);
});
