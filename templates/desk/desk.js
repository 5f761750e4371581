// Every act works without this script.
const data = document.body.dataset;
const { base, account } = data;
const byId = (id) => document.getElementById(id);
const on = (type, listener) => document.addEventListener(type, listener);
const active = () => document.activeElement;
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
const first = (selector) => document.querySelector(selector);
const all = (selector, node = document) => [...node.querySelectorAll(selector)];
document.documentElement.classList.add('script');

// Regions: parts that are replaced where a newer page differs.

/** Forms with text that is not saved. */
const unsaved = new Set();

/** The answer to an act stays until the next act. */
const isAnswer = (region) => region.matches('#notice, [role=alert]');

/** Shows a newer page. Forms with unsaved text stay, with what their editor has seen. */
function show(page, submitted, fields) {
  settle(page, submitted, fields);
  const { id: focused, selectionStart: from, selectionEnd: to } = active();
  const { top } = active().getBoundingClientRect();
  const hadFocus = active() !== document.body;
  const row = rowOf(active());
  const list = listOf(row);
  const near = row
    ? (row.nextElementSibling ?? row.previousElementSibling)?.querySelector('a')?.id
    : active().form?.querySelector('input:not([type=hidden]), textarea')?.id;
  const open = all('details[id][open]').map(({ id }) => id);
  for (const region of all('[data-region]')) {
    const newer = page.getElementById(region.id);
    if (newer?.dataset.same !== undefined) {
      adoptSeen(region, newer);
      continue;
    }
    if (submitted === undefined && isAnswer(region) && !newer?.textContent.trim()) continue;
    // The script has changed the view of the preview itself.
    if (newer?.dataset.version && newer.dataset.version === region.dataset.version) continue;
    if (!newer) region.replaceChildren();
    else if (newer.outerHTML !== region.outerHTML) replace(region, newer, submitted);
  }
  for (const id of open) byId(id)?.setAttribute('open', '');
  for (const region of all('[data-region]', page)) {
    if (!byId(region.id)) return location.reload();
  }
  adopt(page);
  let same = focused && byId(focused);
  // Drops stay in the block.
  if (near && (!same || listOf(rowOf(same)) !== list)) same = byId(near);
  if (same && same !== active()) {
    same.focus({ preventScroll: true });
    if (from != null) same.setSelectionRange?.(from, to);
  }
  if (same === active() && same.checkVisibility()) scrollBy(0, same.getBoundingClientRect().top - top);
  else if (hadFocus && (active() === document.body || !active().checkVisibility())) {
    // To the row that had it last.
    (byId(place)?.querySelector('a, button') ?? byId('main')).focus();
  }
  prepare();
}

function settle(page, submitted, fields) {
  if (fields && isTypedSince(submitted, fields)) adoptSaved(submitted, page.getElementById(submitted.id));
  else unsaved.delete(submitted);
}

const isTypedSince = (form, fields) =>
  form.matches('[data-keep]') &&
  [...form.elements].some((one) => one.matches(TYPED) && one.value !== fields.get(one.name));

/** Somebody wrote on while the server saved: the form keeps the text, now as a change of what was saved. */
function adoptSaved(form, saved) {
  for (const one of saved ? all('[name]:not(button)', saved) : []) {
    const own = form.elements[one.name];
    if (own?.type === 'hidden') own.value = one.value;
    else if (own) own.defaultValue = one.defaultValue;
  }
}

function adopt(page) {
  document.title = page.title;
  newest = Math.max(newest, page.asked);
  for (const one of ['presence', 'saved', 'sent', 'shortcuts', 'version']) delete data[one];
  Object.assign(data, page.body.dataset);
}

function replace(region, newer, submitted) {
  if (region.id === 'notice') {
    // A new live region is not announced, but what comes into the old one.
    region.dataset.region = newer.dataset.region;
    return region.replaceChildren(...newer.childNodes);
  }
  for (const form of region.querySelectorAll('form[id]')) {
    if (!unsaved.has(form) && form !== active().closest('[data-offer]')?.parentNode) continue;
    const twin = newer.querySelector(`#${CSS.escape(form.id)}`);
    if (twin) twin.replaceWith(form);
    else if (rowOf(form) !== rowOf(submitted)) keepRow(rowOf(form), newer);
  }
  const marks = all(`${MARK}:checked`, region).filter(({ form }) => form !== submitted);
  region.replaceWith(newer);
  for (const { id } of marks) byId(id)?.toggleAttribute('checked', true);
}

/** A region that stays has seen the newer page, except forms with unsaved text. */
function adoptSeen(region, { dataset: { same } }) {
  for (const one of region && same ? all('[name=seen]', region) : []) if (!unsaved.has(one.form)) one.value = same;
  return region;
}

/** Somebody writes in a row that a colleague dropped: it stays, after the row before it. */
function keepRow(row, newer) {
  let former = row?.previousElementSibling;
  while (former && !newer.querySelector(`#${former.id}`)) former = former.previousElementSibling;
  if (former) newer.querySelector(`#${former.id}`).after(row);
  else if (row) (newer.querySelector('.rows') ?? newer).prepend(row);
}

/** Marks in rows are for the next act alone. */
const MARK = '[data-row] [type=checkbox][id]';

const isSamePage = (url) => new URL(url).pathname === location.pathname;

/** Pages are numbered as they are asked for: the answers may come in another order. */
let loads = 0;
let newest = 0;

/** By region: its HTML as it came. */
const received = new WeakMap();
const htmlOf = (region) => region.outerHTML.replace(/(data-from-now="">)[^<]*/g, '$1');

/** Unchanged regions are not sent again. @throws if a proxy answers, while the server restarts */
async function load(url, { headers, ...options } = {}) {
  const same = all('[data-region]').filter((region) => received.get(region) === htmlOf(region));
  const asked = ++loads;
  const known = { 'X-Desk-Regions': same.map((region) => region.dataset.region).join(' ') };
  const response = await fetch(url, { ...options, headers: { ...headers, ...known } });
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  if (page.body.dataset.base === undefined) throw new Error(`status ${response.status}`);
  return [response, Object.assign(page, { asked })];
}

/** Why an act has no page, beside its button. */
const lost = make('p', { className: 'error', role: 'alert' });
function fail(text, form) {
  (form.checkVisibility() ? form : byId('notice')).append(lost);
  write(lost, text);
}

/** The session has ended, or is another account's. Typed text stays. */
function leave(page, form = byId('notice')) {
  const isOther = page.body.dataset.account !== undefined;
  const [reason, advice] = isOther
    ? ['Another account has signed in', 'sign in as yourself in another tab, and save it here']
    : ['You are signed out', 'save it, and sign in'];
  if (hasUnsaved()) fail(`${reason}. Your text stays here: ${advice}.`, form);
  else location.reload();
}

on('submit', (event) => {
  const { target: form, submitter: button } = event;
  if (event.defaultPrevented || !form.matches('[method=post]')) return;
  if (form.matches('[data-plain]')) return button?.formTarget || unsaved.delete(form);
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form, button));
  const menu = button?.closest('.menu[open]');
  if (menu) {
    menu.querySelector('summary').focus();
    menu.open = false;
  }
  const back = showAtOnce(form, button, fields);
  if (back) enqueue(form, button, fields, back);
  else if (back === null) return;
  else if (form.matches('[aria-busy]')) form.newer = () => form.requestSubmit(button);
  else act(form, button, fields);
});

async function act(form, button, fields, back) {
  form.setAttribute('aria-busy', 'true');
  form.newer = null;
  lost.remove();
  try {
    await send(form, button, fields, back);
  } catch {
    form.newer = null;
    const more = back ? putAllBack() : '';
    fail(`The server did not answer. Load the page again to see whether this was done.${more}`, form);
  } finally {
    form.removeAttribute('aria-busy');
  }
  apply();
  // Sent again meanwhile. After a refusal, the page has another form.
  if (form.isConnected && unsaved.has(form)) form.newer?.();
}

// Rows move before the server has answered. Their acts are sent one by one; a refusal puts the rows back.

let line = Promise.resolve();
/** What puts rows back whose acts are not answered, oldest first. */
const moves = [];
function putAllBack() {
  for (const one of [...moves].reverse()) one();
  all('[data-drag-list]').forEach(limitMoves);
  return forgetMoves();
}
let forgotten;
/** @returns how many waited for the first one */
function forgetMoves() {
  const count = moves.splice(0).length - 1;
  return count > 0 ? ` Further changes not made: ${count}.` : '';
}
function enqueue(form, button, fields, back) {
  moves.push(back);
  line = line.then(async () => {
    // After a refusal, they are not sent.
    if (!moves.includes(back)) return;
    forgotten = '';
    await act(form, button, fields, back);
    first('#conflict p, #refusal p')?.append(forgotten);
    if (moves.includes(back)) moves.shift();
    if (again) refresh();
    else apply();
  });
}

function placeOf(row) {
  const { parentElement: list, nextElementSibling: next } = row;
  return () => list.insertBefore(row, next?.parentElement === list ? next : null);
}

/** The first row cannot go up, nor the last one down. */
function limitMoves(list) {
  for (const row of all('[data-drag-item]', list)) {
    const ends = { before: row.previousElementSibling, after: row.nextElementSibling };
    for (const one of all('[name=before], [name=after], [name=place]', row)) {
      one.disabled = !(ends[one.name] ?? ends[{ first: 'before', last: 'after' }[one.value]]);
    }
  }
}

/** @returns what puts the row back; null if there is nothing to do, undefined if the act moves no row */
function showAtOnce(form, button, fields) {
  const row = form.parentElement;
  const list = row.parentElement;
  if (!row.dataset.dragItem || !list.dataset.dragList || !button) return;
  const { previousElementSibling: above, nextElementSibling: below } = row;
  const back = placeOf(row);
  if (button.formAction.endsWith('/drop')) {
    (below ?? above)?.querySelector('a')?.focus();
    row.remove();
    return back;
  }
  const { name, value } = button;
  const focused = row.contains(active()) ? active() : row.querySelector('a');
  const neighbour = { before: above, after: below }[name];
  if (neighbour === null) return null;
  if (neighbour) {
    fields.set(name, neighbour.dataset.dragItem);
    neighbour[name](row);
  } else if (name === 'place') list[value === 'first' ? 'prepend' : 'append'](row);
  else if (name === 'block') first(`[data-drag-list="${value}"]`).append(row);
  else return;
  limitMoves(list);
  // Moving it has taken the focus from it.
  focused.focus({ preventScroll: true });
  row.scrollIntoView({ block: 'nearest' });
  return back;
}

async function send(form, button, fields, back) {
  const action = button?.getAttribute('formaction') ?? form.action;
  const [response, page] = await load(action, { method: 'POST', body: fields });
  // The form of a row that is gone cannot be sent.
  if (back && page.body.dataset.account !== account) putAllBack();
  if (page.body.dataset.account === undefined) {
    // The page of the sign-in has the text where the browser itself posts the form.
    if (response.redirected) return location.assign(response.url);
    form.dataset.plain = '';
    return form.requestSubmit(button);
  }
  if (page.body.dataset.account !== account) return leave(page, form);
  if (response.redirected && isSamePage(response.url)) {
    history.replaceState(shown, '', response.url);
    // A row that was moved since would jump back.
    const isMoved = dragged || (back && moves.some((one) => one !== back));
    if (!isMoved && page.asked > newest) return show(page, form, fields);
    const answer = page.getElementById('notice');
    if (answer.textContent.trim()) replace(byId('notice'), answer);
    settle(page, form, fields);
    return refresh();
  }
  if (back) forgotten = forgetMoves();
  if (rowOf(form) && page.title === document.title) return refuseInRow(page, form);
  // On a page that colleagues share, what is typed in other forms stays.
  if (data.presence !== undefined && page.title === document.title) {
    if (response.redirected) history.replaceState(shown, '', response.url);
    show(page, form);
    return showRefusal();
  }
  unsaved.clear();
  shown = Date.now();
  history.pushState(shown, '', response.redirected ? response.url : location.href);
  for (const newer of all('[data-same]', page)) newer.replaceWith(adoptSeen(byId(newer.id), newer) ?? '');
  byId('main').replaceWith(page.getElementById('main'));
  first('.top').replaceWith(page.querySelector('.top'));
  adopt(page);
  showRefusal();
}

/** In a list, what is typed in other rows stays, and the focus in one of them. */
function refuseInRow(page, form) {
  show(page, form);
  const wrong = byId(form.id)?.querySelector('[aria-invalid]');
  if (!wrong) return showRefusal();
  if (unsaved.has(active().form)) say(byId(`${wrong.id}-error`).textContent);
  else wrong.focus();
  unsaved.add(wrong.form);
}

function showRefusal() {
  const list = all('.errors, .versions').find((one) => !unsaved.has(one.parentNode));
  if (list) unsaved.add(list.parentNode);
  (first('#conflict:not(:empty)') ?? list ?? first('main [role=alert]:not(:empty)') ?? byId('main')).focus();
  prepare();
}

let shown = history.state ?? Date.now();
history.replaceState(shown, '');
addEventListener('popstate', ({ state }) => {
  // From a link within the page.
  if (state === null) history.replaceState(shown, '');
  else if (state !== shown) location.reload();
});

const isStored = (one) => one.matches(':is(#texts, .write) :not([aria-invalid])') && one.value === one.defaultValue;
on('input', ({ target }) => {
  if (target.form?.method === 'post' && !target.matches(MARK)) {
    unsaved[isStored(target) ? 'delete' : 'add'](target.form);
    target.form.classList.toggle('unsaved', unsaved.has(target.form));
  }
  if (target.dataset.counter) count(target);
  if (target.matches('#texts *')) {
    clearTimeout(previewTimer);
    previewTimer = setTimeout(preview, 400);
  }
  if (target.id === 'find-words') {
    find();
    say(`${all('#stories [data-row]:not([hidden])').length} stories found`);
  }
});
// Mails would not have the unsaved texts.
on('click', (event) => {
  const button = event.target.closest('#sending :is(a, button):not(#take-back, #cancel-send)');
  const form = button && all('#texts form').find((one) => unsaved.has(one));
  if (!form) return;
  event.preventDefault();
  const { text } = form.elements;
  fail(`The ${text.id} is not saved. Save it, or take your change back, first.`, button.closest('.buttons, form'));
  text.focus();
});
const hasUnsaved = (kind = '[id], [data-keep]') => [...unsaved].some((form) => form.isConnected && form.matches(kind));
addEventListener('beforeunload', (event) => {
  if (hasUnsaved('[data-keep]:not([data-kept])')) event.preventDefault();
});

function count(field) {
  const state = unsaved.has(field.form) ? ', not saved' : '';
  write(byId(`${field.id}-counter`), `${[...field.value].length} of ${field.dataset.counter}${state}`);
}

function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}
const say = (text) => write(byId('live'), text);

function duration(ms) {
  const [hours, minutes] = [Math.floor(ms / 36e5), Math.floor((ms % 36e5) / 6e4)];
  if (ms < 6e4) return `${Math.floor(ms / 1000)} s`;
  if (hours >= 48) return [`${Math.floor(hours / 24)} d`, hours % 24 && `${hours % 24} h`].filter(Boolean).join(' ');
  return [hours && `${hours} h`, minutes && `${minutes} min`].filter(Boolean).join(' ');
}

/** The server's clock less ours. */
let ahead = data.at - Date.now();
if (Math.abs(ahead) < 5000) ahead = 0;
function tick() {
  const now = Date.now() + ahead;
  for (const element of all('time[data-from-now]')) {
    const at = Date.parse(element.dateTime);
    write(element, at > now ? `in ${duration(at - now)}` : `${duration(now - at)} ago`);
  }
  // The server says something every 15 s. A tab that the browser has frozen keeps the lock.
  if (document.hidden || Date.now() - heard < 40000) return;
  heard = Date.now();
  if (!stream) lead({ steal: true });
  else connect();
}

// The live stream: one tab reads it and tells the others.

const live = `daywire-desk-live${base}-${account}`;
const channel = new BroadcastChannel(live);
const known = { topics: {}, versions: {}, figures: {}, presence: {} };
/** By topic: the change that this page was loaded again for. */
let handled = {};
let reloading = false;
let again = false;

function apply() {
  for (const element of all('[data-figure]')) {
    write(element, known.figures[element.dataset.figure] || element.textContent);
    element.value = Number.parseFloat(element.textContent);
  }
  const others = (known.presence[sharedPage()] ?? []).filter(({ id }) => String(id) !== account);
  const names = others.map(({ name }) => name).join(', ');
  write(byId('presence'), names && `Also here: ${names}`);
  // The answer may show what changed.
  if (moves.length > 0 || first('[aria-busy]')) return;
  const { topics, versions } = known;
  // The stream is half a second late. Once for each change, also where clocks of servers differ.
  const changed = data.topics.split(' ').filter((one) => topics[one] > data.at - 600 && handled[one] !== topics[one]);
  for (const topic of changed) handled[topic] = topics[topic];
  // An answer to an act shows its change, and those before.
  const { version = '-' } = data;
  const isShown = (one) => one === version || Number.parseFloat(one) < Number.parseFloat(version);
  if (!changed.every((one) => isShown(versions[one]))) refresh();
}

async function refresh() {
  // Rows that are dragged or moved stay, and a word that an input method composes. Nobody sees hidden tabs.
  again = reloading || dragged || moves.length > 0 || composing || document.hidden;
  if (again) return;
  reloading = true;
  try {
    // It does not prolong the session.
    const [response, page] = await load(location.href, { headers: { 'X-Background': '1' } });
    if (page.body.dataset.account !== account) leave(page);
    // What has begun meanwhile stays.
    else if (dragged || moves.length > 0 || composing || page.asked < newest) again = true;
    else if (response.ok && isSamePage(response.url)) show(page);
  } catch {
    say(OFFLINE);
    handled = {};
  } finally {
    reloading = false;
    if (again) refresh();
  }
}

const OFFLINE = 'No connection to the server.';
let heard = Infinity;
function hear(message) {
  heard = Date.now();
  if (message === 'lost') return say(OFFLINE);
  if (byId('live').textContent === OFFLINE) say('');
  for (const part in known) Object.assign(known[part], message[part]);
  apply();
}

channel.onmessage = ({ data }) => {
  if (data !== 'hello') hear(data);
  else if (stream) channel.postMessage(known);
};

let stream;
const tell = (message) => {
  channel.postMessage(message);
  hear(message);
};
function connect() {
  stream?.close();
  stream = new EventSource(`${base}/live?account=${account}`);
  stream.onmessage = ({ data }) => tell(JSON.parse(data));
  stream.onerror = ({ target }) => {
    tell('lost');
    // After a response that is no stream, the browser does not try again.
    if (target.readyState !== EventSource.CLOSED) return;
    refresh();
    setTimeout(() => stream && connect(), 5000);
  };
}

/** Reads the stream while no other tab does. */
function lead(options) {
  // Without TLS there are no locks: pages are as new as their last load.
  const led = navigator.locks?.request(live, options, () => new Promise(connect));
  led?.catch(() => {
    if (!stream) return;
    stream.close();
    stream = null;
    lead({});
  });
}

const tab = `tab00000${Math.random().toString(36).slice(2)}`;
const sharedPage = () => data.presence !== undefined && data.topics.split(' ')[0];
function present(closed) {
  const page = sharedPage();
  if (!page || (document.hidden && !closed)) return;
  const fields = { page, tab, 'page-account': account, ...(closed && { closed: '1' }) };
  navigator.sendBeacon(`${base}/presence`, new URLSearchParams(fields));
}

// Keys: those of the focused row first.

const rowOf = (node) => node?.closest?.('[data-row]');
/** The id of the row with the last focus. */
let place;
on('focusin', ({ target }) => {
  place = rowOf(target)?.id || place;
});
let composing = false;
on('compositionstart', () => {
  composing = true;
});
on('compositionend', () => {
  composing = false;
  if (again) refresh();
});
const listOf = (row) => row?.parentElement.dataset.dragList;

function step(direction) {
  const list = all('[data-row]:not([hidden])');
  const at = list.indexOf(rowOf(active()));
  // From elsewhere, back to the row with the last focus.
  const next = at < 0 ? (byId(place) ?? list.at(direction < 0 ? -1 : 0)) : list[at + direction];
  if (!next) return;
  const target = next.matches('[tabindex]') ? next : next.querySelector('a, button, input');
  target?.focus();
  next.scrollIntoView({ block: 'nearest' });
}

function keyed(key) {
  const row = rowOf(active());
  const found = all('[data-key]').filter((one) => one.dataset.key === key);
  return found.find((one) => row?.contains(one)) ?? found.find((one) => !rowOf(one));
}

const TYPED = 'input:not([type=checkbox], [type=radio]), textarea, select';
on('keydown', (event) => {
  const { target, key } = event;
  if (key === 'Enter' && (event.ctrlKey || event.metaKey) && target.matches('.write textarea')) {
    event.preventDefault();
    return storeAndGoOn(target);
  }
  if (key === 'Enter' && (event.ctrlKey || event.metaKey) && target.matches('#texts *')) target.form.requestSubmit();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (key === 'Escape') {
    const menu = first('.menu[open]');
    if (dragged) drop(false);
    else if (menu) {
      menu.open = false;
      menu.querySelector('summary').focus();
    } else if (target.matches('.write textarea')) rowOf(target).querySelector('a').focus();
    else if (target.matches('[data-counter]')) target.blur();
  }
  if (data.shortcuts === undefined || target.closest(`${TYPED}, dialog`)) return;
  if (key === '?') showKeys();
  else if (key === 'j') step(1);
  else if (key === 'k') step(-1);
  else {
    const found = keyed(key);
    if (!found || found.disabled) return;
    if (found.matches(TYPED)) found.focus();
    else if (found.matches('summary')) openMenu(found);
    else found.click();
  }
  event.preventDefault();
});

/** Stores the sentence of a row, and goes on to the next row without one. */
function storeAndGoOn(field) {
  const fields = all('.write textarea');
  const next = fields.slice(fields.indexOf(field) + 1).find(({ value }) => value === '');
  if (field.value !== field.defaultValue || field.matches('[aria-invalid]')) {
    if (!field.form.reportValidity()) return;
    field.form.requestSubmit();
  }
  next?.focus();
}

function showKeys() {
  const [page, row] = all('#keys dl');
  const keys = all('[data-key]').map((one) => {
    const { key, keyName } = one.dataset;
    return [key, keyName ?? one.textContent.trim(), rowOf(one) ? row : page];
  });
  keys.sort().unshift(['?', 'This list', page]);
  if (first('[data-row]')) keys.unshift(['j', 'Next', row], ['k', 'Previous', row], ['Enter', 'Open', row]);
  page.replaceChildren();
  row.replaceChildren();
  for (const [key, name, list] of keys) {
    if (all('dt', list).some((one) => one.textContent === key)) continue;
    list.append(make('dt', { textContent: key }), make('dd', { textContent: name }));
  }
  byId('keys').showModal();
}

/** Tab and the keys of the row go on from its first button. */
function openMenu(summary) {
  summary.parentElement.open = true;
  (summary.parentElement.querySelector('button:enabled') ?? summary).focus();
}
on('click', (event) => {
  for (const menu of all('.menu[open]')) menu.open = event.composedPath().includes(menu);
  // It opens after this event.
  setTimeout(() => first('.menu[open] > div')?.scrollIntoView({ block: 'nearest' }));
});

// Drag: the row that is let go fills the form of its list.

let dragged;
let putBack;
let pointer;
on('pointerdown', (event) => {
  const row = event.target.matches?.('.handle') && event.button === 0 && rowOf(event.target);
  if (!row) return;
  event.preventDefault();
  // The row moves in the document, and would lose the pointer.
  document.documentElement.setPointerCapture(event.pointerId);
  [dragged, putBack, pointer] = [row, placeOf(row), event];
  row.classList.add('dragged');
  requestAnimationFrame(carry);
});
on('pointermove', (event) => {
  pointer = event;
});
on('pointerup', () => drop(true));
on('pointercancel', () => drop(false));

function carry() {
  if (!dragged) return;
  requestAnimationFrame(carry);
  const { clientX: x, clientY: y } = pointer;
  if (y < 96) scrollBy(0, -8);
  else if (y > innerHeight - 48) scrollBy(0, 8);
  const over = document.elementFromPoint(x, y);
  const list = over?.closest('[data-drag-list]');
  const row = over?.closest('[data-drag-item]');
  if (row === dragged || !list) return;
  if (!row) return list.contains(dragged) || list.append(dragged);
  const { top, height } = row.getBoundingClientRect();
  const next = y < top + height / 2 ? row : row.nextElementSibling;
  const isThere = list.contains(dragged) && (next === dragged || next === dragged.nextElementSibling);
  if (!isThere) list.insertBefore(dragged, next);
}

function drop(isWanted) {
  if (!dragged) return;
  const row = dragged;
  dragged = null;
  row.classList.remove('dragged');
  const [list, next] = [row.parentElement, row.nextElementSibling];
  const back = putBack;
  back();
  const isMoved = row.parentElement !== list || row.nextElementSibling !== next;
  if (isWanted && isMoved) {
    list.insertBefore(row, next);
    const form = byId('drag');
    form.elements.story.value = row.dataset.dragItem;
    form.elements.block.value = list.dataset.dragList;
    form.elements.before.value = next?.dataset.dragItem ?? '';
    row.querySelector('a').focus({ preventScroll: true });
    enqueue(form, null, new URLSearchParams(new FormData(form)), back);
  } else if (again) refresh();
}

// The edition: finding stories, and the preview.

const letters = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
function find() {
  const field = byId('find-words');
  if (!field) return;
  const words = letters(field.value).split(/\s+/);
  for (const row of all('#stories [data-row], #tray [data-row]')) {
    const text = letters(row.querySelector('.story').textContent);
    row.hidden = !words.every((word) => text.includes(word));
  }
}
on('submit', (event) => {
  if (!event.target.matches('#find, #copies')) return;
  event.preventDefault();
  const { name, value } = event.target.querySelector('[type=search], select');
  choose(name, value);
  refresh();
});
on('click', (event) => {
  if (event.target.id === 'preview-large') {
    return document.fullscreenElement ? document.exitFullscreen() : byId('preview-pane').requestFullscreen();
  }
  const link = event.target.closest('#find-clear, #preview .choices a');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { part, value } = link.dataset;
  if (link.id === 'find-clear') {
    byId('find-words').value = '';
    choose('q', '');
    return refresh();
  }
  choose(part, value);
  for (const one of all('a', link.closest('ul'))) one.removeAttribute('aria-current');
  link.setAttribute('aria-current', 'true');
  preview();
});

/** The choice is in the address, for the next load. */
function choose(name, value) {
  const query = new URLSearchParams(location.search);
  query.set(name, value);
  history.replaceState(shown, '', `?${query}`);
}

const unsavedTexts = () => all('#texts form').filter((form) => unsaved.has(form));
let previewTimer;
/** Shows the chosen view, with the texts as typed. A new frame adds nothing to the history. */
function preview() {
  const form = byId('preview-form');
  const frames = all('#preview iframe');
  const [old] = frames;
  if (!old) return;
  const [view, scheme] = all('#preview [aria-current]').map((one) => one.dataset);
  const texts = unsavedTexts().map(({ elements: { text } }) => [text.id, text.value]);
  const version = (view.width.endsWith('%') ? view.value : 'mail') + JSON.stringify(texts);
  const shown = frames.at(-1);
  const frame = shown.dataset.shown === version ? shown : shown.cloneNode();
  byId('preview').dataset.view = view.value;
  Object.assign(frame, { className: scheme.value, title: `${view.title}, ${scheme.value}`, width: view.width });
  write(byId('preview-unsaved'), texts.length > 0 ? 'With texts that are not saved. ' : '');
  if (frame === shown) return;
  if (shown !== old) shown.remove();
  frame.name = `preview-${performance.now()}`;
  frame.dataset.shown = version;
  // The former one is seen until the new one has loaded.
  frame.style.visibility = 'hidden';
  if (texts.length > 0) frame.removeAttribute('src');
  else frame.src = `${frame.dataset.address}view=${view.value}`;
  old.after(frame);
  frame.onload = () => {
    old.remove();
    frame.style.visibility = '';
  };
  if (texts.length === 0) return;
  const fields = [['view', view.value], ['page-account', account], ...texts].map(([name, value]) =>
    make('input', { type: 'hidden', name, value }),
  );
  form.target = frame.name;
  form.replaceChildren(...fields);
  form.submit();
}
// What sticks beneath a notice stays in sight.
const noticeSize = new ResizeObserver(([{ target }]) => {
  document.documentElement.style.setProperty('--notice-height', `${target.offsetHeight}px`);
});
let later;
function prepare() {
  for (const field of all('[data-counter]')) count(field);
  tick();
  apply();
  find();
  preview();
  for (const region of all('[data-region]')) received.set(region, htmlOf(region));
  noticeSize.disconnect();
  noticeSize.observe(byId('notice'));
  clearTimeout(later);
  document.dispatchEvent(new Event('desk-shown'));
  if (first('[data-pending]')) later = setTimeout(refresh, 1000);
}

if (account !== undefined) {
  lead({});
  channel.postMessage('hello');
  heard = Date.now();
  present();
  setInterval(present, 15000);
  addEventListener('pagehide', () => present(true));
  on('visibilitychange', () => {
    present(document.hidden);
    channel.postMessage('hello');
    if (again) refresh();
  });
}
setInterval(tick, 1000);
prepare();
