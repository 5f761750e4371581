// Texts that are not saved yet stay in this browser, by account and form, until the server has saved them. A form with
// `data-keep` is named by its value or by its address. Each page that is open writes an entry of its own.
const { base, account } = document.body.dataset;
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
/** Forms whose text the server has refused, or that wait for a new session: it is what the page shows. */
const refused = new WeakSet();
const isUnsaved = (form) => refused.has(form) || textsOf(form).some((one) => one.value !== one.defaultValue);

const keyOf = (form) => {
  if (!keys.has(form)) keys.set(form, `${PREFIX}${nameOf(form)} ${newId()}`);
  return keys.get(form);
};

/** The entries of this account, newest first. */
function readEntries() {
  try {
    const own = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
    const entries = own.map((key) => ({ ...JSON.parse(localStorage.getItem(key)), key }));
    return entries.sort((a, b) => b.at - a.at);
  } catch {
    return [];
  }
}

/** Writes or removes the entry of a form. `data-kept`: leaving the page loses nothing of it. */
function keep(form) {
  if (isOver) return;
  try {
    form.dataset.kept = '';
    if (!isUnsaved(form)) return localStorage.removeItem(keyOf(form));
    const fields = fieldsOf(form).filter((field) => !isChoice(field) || field.checked);
    const entry = {
      ...{ id: newId(), at: Date.now(), name: nameOf(form), page: location.pathname, title: pageTitle() },
      fields: fields.map(({ name, value }) => [name, value]),
      texts: textsOf(form).filter(({ value, defaultValue }) => refused.has(form) || value !== defaultValue),
    };
    entry.texts = entry.texts.map(({ value }) => value).filter((text) => text !== '');
    localStorage.setItem(keyOf(form), JSON.stringify(entry));
    form.dataset.kept = entry.id;
  } catch {
    // No storage, or none left: leaving the page asks.
    form.removeAttribute('data-kept');
  }
}
const pageTitle = () => document.querySelector('h1')?.textContent.trim() ?? '';

/** After signing out, nothing is written. */
let isOver = false;
const formOf = (target) => target.form?.closest('[data-keep]');
document.addEventListener('input', ({ target }) => {
  const form = formOf(target);
  if (form) keep(form);
});

// Its id goes with the form, and the page after it tells whether it was saved. A button with a name saves no text.
document.addEventListener(
  'submit',
  ({ target: form, submitter }) => {
    if (!form.matches('[data-keep]') || submitter?.name) return;
    keep(form);
    const field = form.querySelector('input[name=unsaved]') ?? make('input', { type: 'hidden', name: 'unsaved' });
    field.value = form.dataset.kept ?? '';
    form.append(field);
  },
  true,
);

function restore(form, entry) {
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

function discard({ key }) {
  localStorage.removeItem(key);
}

function timeOf({ at }) {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  const text = date.toLocaleString('en-GB', { ...(isToday ? {} : { dateStyle: 'medium' }), timeStyle: 'short' });
  return make('time', { dateTime: date.toISOString(), textContent: text });
}

function button(text, act) {
  const element = make('button', { type: 'button', textContent: text });
  element.addEventListener('click', act);
  return element;
}

function offer(form, entry) {
  if (form.querySelector(`[data-offer="${CSS.escape(entry.key)}"]`)) return;
  const isOlder = fieldsOf(form).some(({ name, type, value }) => {
    return type === 'hidden' && name === 'seen' && entry.fields.some((one) => one[0] === name && one[1] !== value);
  });
  const older = isOlder ? ' Somebody may have changed the same since: saving shows both.' : '';
  const said = make('span', {}, 'Text of ', timeOf(entry), ` that was not saved.${older}`);
  const line = make('p', { className: 'notice' }, said);
  line.dataset.offer = entry.key;
  const end = () => {
    discard(entry);
    line.remove();
    textsOf(form)[0]?.focus();
  };
  line.append(
    button('Restore', () => restore(form, entry)),
    ' ',
    button('Discard', end),
  );
  form.prepend(line);
}

/** Texts whose form is not on this page, on the first page and on the page where they were written. */
function list(entries) {
  const shown = document.getElementById('unsaved-texts');
  const ids = entries.map(({ id }) => id).join(' ');
  if ((shown?.dataset.ids ?? '') === ids) return;
  shown?.remove();
  if (ids === '') return;
  const items = entries.map((entry) => {
    const link = make('a', { href: entry.page, textContent: entry.title || entry.page });
    const end = () => {
      discard(entry);
      review();
      document.getElementById('main').focus();
    };
    return make('li', {}, link, ', ', timeOf(entry), ' ', button('Discard', end), ...entry.texts.map(quote));
  });
  const summary = make('summary', { textContent: `Texts that were not saved: ${entries.length}` });
  const details = make('details', { id: 'unsaved-texts', className: 'notice' }, summary, make('ul', {}, ...items));
  details.dataset.ids = ids;
  document.getElementById('notice')?.after(details);
}
const quote = (text) => make('pre', { textContent: text, dir: 'auto' });

/** Compares the entries with the page: what was saved is removed, and the rest is offered. */
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
  const elsewhere = [];
  for (const entry of entries) {
    const form = formOfEntry(entry);
    if (entry.id === saved) discard(entry);
    else if (!form) {
      if (location.pathname === base || entry.page === location.pathname) elsewhere.push(entry);
    } else if (keyOf(form) !== entry.key) {
      const given = new Map(entry.fields);
      const isStored = textsOf(form).every(({ name, defaultValue }) => (given.get(name) ?? '') === defaultValue);
      if (isStored && !refused.has(form)) discard(entry);
      else offer(form, entry);
    }
  }
  const left = new Set(readEntries().map(({ key }) => key));
  for (const line of document.querySelectorAll('[data-offer]')) if (!left.has(line.dataset.offer)) line.remove();
  list(elsewhere);
}

// Signing out deletes the entries, unless somebody keeps them.
document.addEventListener(
  'submit',
  (event) => {
    const form = event.target;
    if (isOver || form.getAttribute('action') !== `${base}/sign-out`) return;
    const entries = readEntries();
    if (entries.length === 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const dialog = make('dialog', {}, make('h2', { textContent: 'Some texts are not saved' }));
    const names = entries.map((entry) => make('li', {}, entry.title, ', ', timeOf(entry)));
    const leave = (isKept) => {
      isOver = true;
      if (!isKept) entries.forEach(discard);
      form.requestSubmit();
    };
    const buttons = [
      button('Sign out and delete them', () => leave(false)),
      button('Sign out and keep them in this browser', () => leave(true)),
      button('Stay', () => dialog.close()),
    ];
    dialog.append(make('ul', {}, ...names), make('p', { className: 'buttons' }, ...buttons));
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  },
  true,
);

if (account !== undefined) {
  document.addEventListener('desk-shown', review);
  review();
}
