// Every act works without this script. It submits forms, keeps pages up to date, adds keys and drag.
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

/** Forms with typed text that is not saved yet. */
const unsaved = new Set();

/** The answer to an act stays until the next act. */
const isAnswer = (region) => region.matches('#notice, [role=alert]');

/** Shows a newer page. Forms with unsaved text stay, with what their editor has seen. */
function show(page, submitted) {
  unsaved.delete(submitted);
  const { id: focused, selectionStart: from, selectionEnd: to } = active();
  const { top } = active().getBoundingClientRect();
  const hadFocus = active() !== document.body;
  const row = rowOf(active());
  const list = listOf(row);
  const near = (row?.nextElementSibling ?? row?.previousElementSibling)?.querySelector('a')?.id;
  for (const region of all('[data-region]')) {
    const newer = page.getElementById(region.id);
    if (submitted === undefined && isAnswer(region) && !newer?.textContent.trim()) continue;
    if (!newer) region.replaceChildren();
    else if (newer.outerHTML !== region.outerHTML) replace(region, newer, submitted);
  }
  for (const region of all('[data-region]', page)) {
    if (!byId(region.id)) return location.reload();
  }
  adopt(page);
  let same = focused && byId(focused);
  // Drops stay in the block.
  if (row && (!same || listOf(rowOf(same)) !== list)) same = byId(near);
  if (same && same !== active()) {
    same.focus({ preventScroll: true });
    if (from != null) same.setSelectionRange?.(from, to);
  }
  if (same) scrollBy(0, same.getBoundingClientRect().top - top);
  else if (hadFocus && active() === document.body) {
    // What had the focus is gone: to the row that had it last.
    (byId(place)?.querySelector('a, button') ?? byId('main')).focus();
  }
  prepare();
}

function adopt(page) {
  document.title = page.title;
  for (const one of ['presence', 'saved', 'sent']) delete data[one];
  Object.assign(data, page.body.dataset);
}

function replace(region, newer, submitted) {
  for (const form of region.querySelectorAll('form[id]')) {
    if (!unsaved.has(form)) continue;
    const twin = newer.querySelector(`#${CSS.escape(form.id)}`);
    if (twin) twin.replaceWith(form);
    else if (rowOf(form) !== rowOf(submitted)) keepRow(rowOf(form), newer);
  }
  const open = all('details[id][open]', region).map(({ id }) => id);
  const marks = all(`${MARK}:checked`, region).filter(({ form }) => form !== submitted);
  region.replaceWith(newer);
  for (const id of open) byId(id)?.setAttribute('open', '');
  for (const { id } of marks) byId(id)?.toggleAttribute('checked', true);
}

/** Somebody writes in a row that a colleague has dropped: it stays, after the row that was before it. */
function keepRow(row, newer) {
  let former = row?.previousElementSibling;
  while (former && !newer.querySelector(`#${former.id}`)) former = former.previousElementSibling;
  if (former) newer.querySelector(`#${former.id}`).after(row);
  else if (row) (newer.querySelector('.rows') ?? newer).prepend(row);
}

/** Marks in rows are for the next act: nobody misses them when the page is left. */
const MARK = '[data-row] [type=checkbox][id]';

const isSamePage = (url) => new URL(url).pathname === location.pathname;

/** By region: its HTML as it came, unless the script has changed it since. */
const received = new WeakMap();
const htmlOf = (region) => region.outerHTML.replace(/(data-from-now="">)[^<]*/g, '$1');

/** Regions that the page shows as they came are not sent again. @throws if a proxy answers, while the server restarts */
async function load(url, { headers, ...options } = {}) {
  const same = all('[data-region]').filter((region) => received.get(region) === htmlOf(region));
  const known = { 'X-Desk-Regions': same.map((region) => region.dataset.region).join(' ') };
  const response = await fetch(url, { ...options, headers: { ...headers, ...known } });
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  if (page.body.dataset.base === undefined) throw new Error(`status ${response.status}`);
  for (const region of all('[data-same]', page)) region.replaceWith(byId(region.id).cloneNode(true));
  return [response, page];
}

/** Why an act has no page, beside its button. */
const lost = make('p', { className: 'error', role: 'alert' });
function fail(text, form) {
  (form.hidden ? byId('notice') : form).append(lost);
  write(lost, text);
}

/** The session has ended, or is another account's. Typed text stays. */
function leave(form = byId('notice')) {
  if (hasUnsaved()) fail('You are signed out. Your text stays here: save it, and sign in.', form);
  else location.reload();
}

on('submit', async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches('[method=post]')) return;
  if (form.matches('[data-plain]')) return event.submitter?.formTarget || unsaved.delete(form);
  event.preventDefault();
  if (form.matches('[aria-busy]')) return;
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  form.setAttribute('aria-busy', 'true');
  lost.remove();
  try {
    await send(event.submitter?.getAttribute('formaction') ?? form.action, fields, form, event.submitter);
  } catch {
    fail('The server did not answer. Load the page again to see whether this was done.', form);
  } finally {
    form.removeAttribute('aria-busy');
  }
});

async function send(action, fields, form, submitter) {
  const [response, page] = await load(action, { method: 'POST', body: fields });
  if (page.body.dataset.account === undefined) {
    // The page of the sign-in has the text where the browser itself posts the form.
    if (response.redirected) return location.assign(response.url);
    form.dataset.plain = '';
    return form.requestSubmit(submitter);
  }
  if (page.body.dataset.account !== account) return leave(form);
  if (response.redirected && isSamePage(response.url)) {
    history.replaceState(shown, '', response.url);
    return show(page, form);
  }
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
  byId('main').replaceWith(page.getElementById('main'));
  first('.top').replaceWith(page.querySelector('.top'));
  adopt(page);
  showRefusal();
}

/** In a list, what is typed in other rows stays, and the focus, where somebody writes in one of them. */
function refuseInRow(page, form) {
  show(page, form);
  const wrong = byId(form.id)?.querySelector('[aria-invalid]');
  if (!wrong) return showRefusal();
  if (unsaved.has(active().form)) say(byId(`${wrong.id}-error`).textContent);
  else wrong.focus();
  unsaved.add(wrong.form);
}

function showRefusal() {
  const list = all('.errors').find((one) => !unsaved.has(one.parentNode));
  if (list) unsaved.add(list.parentNode);
  (list ?? first('main [role=alert]:not(:empty)') ?? byId('main')).focus();
  prepare();
}

/** The state of this page's entries in the history. */
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
const hasUnsaved = (kind = '[id]') => [...unsaved].some((form) => form.isConnected && form.matches(kind));
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
  return [hours && `${hours} h`, minutes && `${minutes} min`].filter(Boolean).join(' ');
}

/** The server's clock less ours. Pages take seconds to arrive. */
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
const known = { topics: {}, figures: {}, presence: {} };
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
  // The stream is half a second late. Once for each change, also where clocks of servers differ.
  const { topics } = known;
  const stale = data.topics.split(' ').filter((one) => topics[one] > data.at - 600 && handled[one] !== topics[one]);
  for (const topic of stale) handled[topic] = topics[topic];
  if (stale.length > 0) refresh();
}

async function refresh() {
  // A row that is dragged stays, and a word that an input method composes. Nobody sees hidden tabs.
  again = reloading || dragged || composing || document.hidden;
  if (again) return;
  reloading = true;
  try {
    // It does not prolong the session.
    const [response, page] = await load(location.href, { headers: { 'X-Background': '1' } });
    if (page.body.dataset.account !== account) leave();
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

/** Reads the stream as soon as no other tab does, until one takes it over. */
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
  const fields = { page, tab, ...(closed && { closed: '1' }) };
  navigator.sendBeacon(`${base}/presence`, new URLSearchParams(fields));
}

// Keys: those of the focused row first, then those of the page.

const rowOf = (node) => node?.closest?.('[data-row]');
/** The id of the row that had the focus last. */
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
  const list = all('[data-row]');
  const at = list.indexOf(rowOf(active()));
  // From elsewhere, such as Undo, back to the row where the focus was.
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
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (key === 'Escape' && target.matches('.write textarea')) rowOf(target).querySelector('a').focus();
  else if (key === 'Escape' && target.matches('[data-counter]')) target.blur();
  if (data.shortcuts === undefined || target.closest(`${TYPED}, dialog`)) return;
  if (key === '?') showKeys();
  else if (key === 'j') step(1);
  else if (key === 'k') step(-1);
  else {
    const found = keyed(key);
    if (!found || found.disabled) return;
    if (found.matches(`${TYPED}, summary`)) found.focus();
    else found.click();
  }
  event.preventDefault();
});

/** Stores the sentence of a row, and goes on to the next row without one, while the server still works. */
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

// Drag: a row dropped before another one, or at the end of a list, fills the list's form.

let dragged;
const clearMarks = () => {
  for (const one of all('.over')) one.classList.remove('over');
};
function listAt(event) {
  const list = dragged && event.target.closest?.('[data-drag-list]');
  if (list) event.preventDefault();
  return list;
}
on('dragstart', (event) => {
  dragged = event.target.closest?.('[data-drag-item]');
  if (!dragged) return;
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', dragged.dataset.dragItem);
  dragged.classList.add('dragged');
});
on('dragend', () => {
  dragged?.classList.remove('dragged');
  dragged = null;
  clearMarks();
  if (again) refresh();
});
on('dragover', (event) => {
  const list = listAt(event);
  if (!list) return;
  clearMarks();
  (event.target.closest('[data-drag-item]') ?? list).classList.add('over');
});
on('drop', (event) => {
  const list = listAt(event);
  if (!list) return;
  const before = event.target.closest('[data-drag-item]');
  if (before === dragged) return;
  const form = byId(list.dataset.dragForm);
  form.elements.story.value = dragged.dataset.dragItem;
  form.elements.block.value = list.dataset.dragList;
  form.elements.before.value = before?.dataset.dragItem ?? '';
  form.requestSubmit();
});

/** Loads the page again while something is still being found out. */
let later;
function prepare() {
  for (const field of all('[data-counter]')) count(field);
  tick();
  apply();
  for (const region of all('[data-region]')) received.set(region, htmlOf(region));
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
