// Texts stay in this browser, by account and form, until the server has saved them. A form with `data-keep` is named by
// its value or by its address. Each open page writes an entry of its own.
const { base, account, zone } = document.body.dataset;
const PREFIX = `daywire-text ${base} ${account} `;
const TEXT = 'textarea, input:is([type=text], [type=search], [type=url], [type=datetime-local])';
const newId = () => Math.random().toString(36).slice(2, 14);
const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const nameOf = (form) => form.dataset.keep || new URL(form.getAttribute('action'), location).pathname;
const fieldsOf = (form) => [...form.elements].filter((one) => one.name && !one.matches('button, [type=password]'));
const textsOf = (form) => fieldsOf(form).filter((field) => field.matches(TEXT));
const isChoice = (field) => field.matches('[type=checkbox], [type=radio]');

/** Keys of entries in the storage, by form. */
const keys = new WeakMap();
/** Forms with a text that was refused, or waited for a new session. */
const refused = new WeakSet();
const isUnsaved = (form) => refused.has(form) || textsOf(form).some((one) => one.value !== one.defaultValue);

const keyOf = (form) => {
  if (!keys.has(form)) keys.set(form, `${PREFIX}${nameOf(form)} ${newId()}`);
  return keys.get(form);
};

/** The entries of this account, newest first. */
function readEntries() {
  try {
    return Object.keys(localStorage)
      .flatMap(readEntry)
      .sort((a, b) => b.at - a.at);
  } catch {
    return [];
  }
}

/** Removes one of a month ago, of any account, or a damaged one. */
function readEntry(key) {
  if (!key.startsWith('daywire-text')) return [];
  try {
    const entry = JSON.parse(localStorage.getItem(key));
    const isNew = new Date(entry.at) > Date.now() - 30 * 864e5;
    if (isNew && entry.texts.map && new Map(entry.fields)) return key.startsWith(PREFIX) ? { ...entry, key } : [];
  } catch {}
  localStorage.removeItem(key);
  return [];
}

const full = make('p', {
  className: 'error',
  role: 'alert',
  textContent: 'The browser cannot keep this text: save it now.',
});

/** Writes or removes the entry of a form. `data-kept`: leaving the page loses nothing. */
function keep(form, field) {
  if (isOver) return;
  try {
    form.dataset.kept = '';
    if (!isUnsaved(form)) return localStorage.removeItem(keyOf(form));
    const fields = fieldsOf(form).filter((field) => !isChoice(field) || field.checked);
    const title = document.querySelector('h1')?.textContent.trim();
    const entry = {
      ...{ id: newId(), at: Date.now(), name: nameOf(form), page: location.pathname, title },
      fields: fields.map(({ name, value }) => [name, value]),
      texts: textsOf(form).flatMap(({ value }) => value || []),
    };
    localStorage.setItem(keyOf(form), JSON.stringify(entry));
    form.dataset.kept = entry.id;
    if (form.contains(full)) full.remove();
  } catch {
    // Leaving the page asks.
    form.removeAttribute('data-kept');
    const place = field?.closest('.field') ?? form;
    if (!place.contains(full)) place.append(full);
  }
}

/** After signing out, nothing is written until somebody types. */
let isOver = false;
document.addEventListener('input', ({ target }) => {
  isOver = false;
  if (target.form?.matches('[data-keep]')) keep(target.form, target);
});

// Its id goes with the form, and the next page tells whether it was saved. A button with a name saves no text.
function attachId({ target: form, submitter }) {
  if (!form.matches('[data-keep]') || submitter?.name) return;
  keep(form);
  const field = form.querySelector('input[name=unsaved]') ?? make('input', { type: 'hidden', name: 'unsaved' });
  field.value = form.dataset.kept ?? '';
  form.append(field);
}
document.addEventListener('submit', attachId, true);

function restore(form, entry, line) {
  line.remove();
  // The present text stays an entry of its own.
  keys.set(form, entry.key);
  for (const field of fieldsOf(form)) {
    const given = entry.fields.filter(([name]) => name === field.name).map(([, value]) => value);
    if (isChoice(field)) field.checked = given.includes(field.value);
    else if (given.length > 0) field.value = given[0];
  }
  for (const field of textsOf(form)) field.dispatchEvent(new Event('input', { bubbles: true }));
  review();
  textsOf(form)[0]?.focus();
}

const discard = ({ key }) => localStorage.removeItem(key);
function timeOf({ at }) {
  const date = new Date(at);
  const write = (style) => date.toLocaleString('en-GB', { ...style, timeZone: zone });
  const isToday = write({ dateStyle: 'short' }) === new Date().toLocaleDateString('en-GB', { timeZone: zone });
  const textContent = write({ ...(isToday ? {} : { dateStyle: 'medium' }), timeStyle: 'short' });
  return make('time', { dateTime: date.toISOString(), textContent });
}

const button = (textContent, { id }, onclick) =>
  make('button', { type: 'button', id: `${textContent}-${id}`, textContent, onclick });

/** @param form of the text; null if it is on another page: then the text is shown */
function offer(form, entry) {
  if (document.querySelector(`[data-offer="${CSS.escape(entry.key)}"]`)) return;
  const line = make('div', { className: 'notice' });
  line.dataset.offer = entry.key;
  const end = () => {
    discard(entry);
    line.remove();
    (form ? textsOf(form)[0] : document.getElementById('main')).focus();
  };
  line.append(make('span', {}, 'Text of ', timeOf(entry), ' that was not saved'));
  if (form)
    line.append(make('bdi', { className: 'soft', textContent: [...entry.texts.join(' ')].slice(0, 80).join('') }));
  if (form) line.append(button('Restore', entry, () => restore(form, entry, line)));
  else line.append(make('a', { href: entry.page, textContent: entry.title || entry.page }));
  line.append(button('Discard', entry, end));
  form?.closest('details')?.setAttribute('open', '');
  if (form) return form.prepend(line);
  line.append(...entry.texts.map((text) => make('pre', { textContent: text, dir: 'auto' })));
  document.getElementById('notice')?.after(line);
}

/** Removes entries that were saved, and offers the rest. */
function review() {
  const { saved, sent } = document.body.dataset;
  const forms = [...document.querySelectorAll('form[data-keep]')];
  const formOfEntry = ({ name }) => forms.find((one) => nameOf(one) === name);
  const entries = readEntries();
  const own = entries.find(({ id }) => id === sent);
  const answered = own && formOfEntry(own);
  if (answered && !keys.has(answered)) {
    refused.add(answered);
    keys.set(answered, own.key);
    answered.dataset.kept = own.id;
  }
  for (const line of document.querySelectorAll('[data-offer]')) {
    if (!entries.some(({ key, id }) => key === line.dataset.offer && id !== saved)) line.remove();
  }
  for (const entry of entries) {
    const form = formOfEntry(entry);
    const given = new Map(entry.fields);
    const isStored = ({ name, defaultValue }) => (given.get(name) ?? '') === defaultValue;
    if (entry.id === saved) discard(entry);
    // The first page has all texts of other pages.
    else if (!form && (location.pathname === base || entry.page === location.pathname)) offer(null, entry);
    else if (!form || keyOf(form) === entry.key) continue;
    else if (!refused.has(form) && textsOf(form).every(isStored)) discard(entry);
    else offer(form, entry);
  }
}

const QUESTION = `<h2>Some texts are not saved</h2><ul></ul><form method="dialog" class="buttons">
<button class="danger" value="delete">Sign out and delete them</button>
<button value="keep">Sign out and keep them in this browser</button><button autofocus>Stay</button></form>`;

/** Signing out deletes the entries, unless somebody keeps them. */
function askFirst(event) {
  const form = event.target;
  const entries = readEntries();
  if (isOver || form.getAttribute('action') !== `${base}/sign-out` || entries.length === 0) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const dialog = make('dialog', { innerHTML: QUESTION });
  dialog.querySelector('ul').append(...entries.map((one) => make('li', {}, one.title, ', ', timeOf(one))));
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (dialog.returnValue === '') return;
    isOver = true;
    if (dialog.returnValue === 'delete') entries.forEach(discard);
    form.requestSubmit();
  });
  document.body.append(dialog);
  dialog.showModal();
}
document.addEventListener('submit', askFirst, true);

if (account !== undefined) {
  document.addEventListener('desk-shown', review);
  review();
}
