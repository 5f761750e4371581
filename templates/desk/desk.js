// The script of the desk. Every act works without it: it submits forms, keeps pages up to date, adds keys and drag.
(() => {
  const data = document.body.dataset;
  const { base, account } = data;
  const byId = (id) => document.getElementById(id);
  const first = (selector) => document.querySelector(selector);
  const all = (selector, node = document) => [...node.querySelectorAll(selector)];
  document.documentElement.classList.add('script');

  // Regions: parts of a page that are replaced where those of a newer page differ.

  /** Forms with typed text that is not saved yet. */
  const unsaved = new Set();

  /** The answer to an act stays until the next act: a page that is loaded again has none. */
  const isAnswer = (region) => region.id === 'notice' || region.getAttribute('role') === 'alert';

  /** Shows a newer version of the page. Forms with unsaved text stay, with what their editor has seen. */
  function show(page, submitted) {
    unsaved.delete(submitted);
    const focused = document.activeElement?.id;
    for (const region of all('[data-region]')) {
      const newer = page.getElementById(region.id);
      if (submitted === undefined && isAnswer(region) && !newer?.textContent.trim()) continue;
      if (newer === null) region.replaceChildren();
      else if (newer.outerHTML !== region.outerHTML) replace(region, document.importNode(newer, true));
    }
    for (const region of all('[data-region]', page)) {
      if (byId(region.id) === null) return location.reload();
    }
    adopt(page);
    const same = focused && byId(focused);
    if (same && same !== document.activeElement) same.focus({ preventScroll: true });
    prepare();
  }

  function adopt(page) {
    document.title = page.title;
    delete data.presence;
    Object.assign(data, page.body.dataset);
  }

  function replace(region, newer) {
    for (const form of region.querySelectorAll('form[id]')) {
      if (unsaved.has(form)) newer.querySelector(`#${CSS.escape(form.id)}`)?.replaceWith(form);
    }
    const open = all('details[id][open]', region).map(({ id }) => id);
    region.replaceWith(newer);
    for (const id of open) byId(id)?.setAttribute('open', '');
  }

  const isSamePage = (url) => new URL(url).pathname === location.pathname;

  /** @throws without a page of the desk: a proxy answers while the server restarts */
  async function pageOf(response) {
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    if (page.body.dataset.base === undefined) throw new Error(`status ${response.status}`);
    return page;
  }

  /** What an act ended with instead of a page, beside its button. */
  const lost = Object.assign(document.createElement('p'), { className: 'error', role: 'alert' });
  function fail(text, form) {
    (form.hidden ? byId('notice') : form).append(lost);
    write(lost, text);
  }

  /** The session has ended, or is another account's. Typed text stays. */
  function leave(form = byId('notice')) {
    if (hasUnsaved()) fail('You are signed out. Copy your text before you load this page again.', form);
    else location.reload();
  }

  document.addEventListener('submit', async (event) => {
    const form = event.target;
    if (form.method !== 'post' || form.hasAttribute('data-plain') || event.defaultPrevented) return;
    event.preventDefault();
    if (form.getAttribute('aria-busy') === 'true') return;
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    form.setAttribute('aria-busy', 'true');
    lost.remove();
    try {
      await send(event.submitter?.hasAttribute('formaction') ? event.submitter.formAction : form.action, fields, form);
    } catch {
      fail('The server did not answer. Load the page again to see whether this was done.', form);
    } finally {
      form.removeAttribute('aria-busy');
    }
  });

  async function send(action, fields, form) {
    const response = await fetch(action, { method: 'POST', body: fields });
    const page = await pageOf(response);
    if (page.body.dataset.account !== account) return leave(form);
    if (response.redirected && isSamePage(response.url)) {
      if (response.url !== location.href) history.replaceState(null, '', response.url);
      return show(page, form);
    }
    // A refusal on a page that colleagues share: what is typed in its other forms stays.
    if (data.presence !== undefined && page.title === document.title) {
      show(page, form);
      return showRefusal();
    }
    unsaved.clear();
    history.pushState(null, '', response.redirected ? response.url : location.href);
    byId('main').replaceWith(document.importNode(page.getElementById('main'), true));
    first('.top').replaceWith(document.importNode(page.querySelector('.top'), true));
    showPlace();
    adopt(page);
    showRefusal();
    prepare();
  }

  function showRefusal() {
    const invalid = first('main [aria-invalid]');
    if (invalid !== null) unsaved.add(invalid.form);
    const place = invalid ?? first('main [role=alert]:not(:empty)') ?? byId('main');
    if (!place.matches('input, textarea, select')) place.tabIndex = -1;
    place.focus();
  }

  addEventListener('popstate', () => location.reload());
  document.addEventListener('input', ({ target }) => {
    if (target.form?.method === 'post') unsaved.add(target.form);
    if (target.dataset.counter) count(target);
  });
  const hasUnsaved = () => [...unsaved].some((form) => form.isConnected && form.id);
  addEventListener('beforeunload', (event) => {
    if (hasUnsaved()) event.preventDefault();
  });

  function count(field) {
    write(byId(`${field.id}-counter`), `${[...field.value].length} of ${field.dataset.counter}`);
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

  /** The server's clock less ours. */
  let ahead = 0;
  function tick() {
    const now = Date.now() + ahead;
    for (const element of all('time[data-from-now]')) {
      const at = Date.parse(element.dateTime);
      write(element, at > now ? `in ${duration(at - now)}` : `${duration(now - at)} ago`);
    }
    // The server says something every 15 s. A tab that the browser has frozen keeps the lock.
    if (document.hidden || Date.now() - heard < 40000) return;
    heard = Date.now();
    if (stream === null) lead({ steal: true });
    else connect();
  }

  // The live stream: one tab reads it and tells the others. Browsers open few connections.

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
    }
    const others = (known.presence[sharedPage()] ?? []).filter(({ id }) => String(id) !== account);
    const names = others.map(({ name }) => name).join(', ');
    write(byId('presence'), names && `Also here: ${names}`);
    // The stream is half a second late. Once for each change, also where clocks of servers differ.
    let isStale = false;
    for (const topic of (data.topics ?? '').split(' ')) {
      const changed = known.topics[topic];
      if (!(changed > data.at - 600) || handled[topic] === changed) continue;
      handled[topic] = changed;
      isStale = true;
    }
    if (isStale) refresh();
  }

  async function refresh() {
    // A row that is dragged stays. Nobody sees hidden tabs.
    again = reloading || dragged !== null || document.hidden;
    if (again) return;
    reloading = true;
    try {
      // Unlike what somebody does, it does not keep the session from ending.
      const response = await fetch(location.href, { headers: { 'X-Background': '1' } });
      const page = await pageOf(response);
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
    for (const part of Object.keys(known)) Object.assign(known[part], message[part]);
    apply();
  }

  channel.onmessage = ({ data }) => {
    if (data !== 'hello') hear(data);
    else if (stream !== null) channel.postMessage(known);
  };

  let stream = null;
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
    // Without locks, as on an address without TLS, pages are as new as their last load.
    const led = navigator.locks?.request(live, options, () => new Promise(connect));
    led?.catch(() => {
      if (stream === null) return;
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

  const rowOf = (node) => node?.closest?.('[data-row]') ?? null;

  function step(direction) {
    const list = all('[data-row]');
    const at = list.indexOf(rowOf(document.activeElement));
    const next = list[at < 0 ? (direction > 0 ? 0 : list.length - 1) : at + direction];
    if (next === undefined) return;
    const target = next.matches('[tabindex]') ? next : next.querySelector('a, button, input');
    target?.focus();
    next.scrollIntoView({ block: 'nearest' });
  }

  function keyed(key) {
    const row = rowOf(document.activeElement);
    const found = all('[data-key]').filter((one) => one.dataset.key === key);
    return found.find((one) => row?.contains(one)) ?? found.find((one) => rowOf(one) === null);
  }

  const TYPED = 'input:not([type=checkbox], [type=radio]), textarea, select';
  document.addEventListener('keydown', (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
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

  function showKeys() {
    const names = { j: 'Next row', k: 'Previous row', '?': 'This list' };
    for (const one of all('[data-key]')) {
      const where = rowOf(one) === null ? '' : ' (focused row)';
      names[one.dataset.key] ??= (one.dataset.keyName ?? one.textContent.trim()) + where;
    }
    const dialog = byId('keys');
    const list = dialog.querySelector('dl');
    list.replaceChildren();
    const add = (parent, tag, text = '') => {
      const element = parent.appendChild(document.createElement(tag));
      element.textContent = text;
      return element;
    };
    for (const [key, name] of Object.entries(names)) {
      add(add(list, 'dt'), 'kbd', key);
      add(list, 'dd', name);
    }
    dialog.showModal();
  }

  // Drag: a row dropped before another row, or at the end of a list, fills the fields of the list's form.

  let dragged = null;
  const clearMarks = () => {
    for (const one of all('.over')) one.classList.remove('over');
  };
  function listAt(event) {
    const list = dragged && event.target.closest?.('[data-drag-list]');
    if (list) event.preventDefault();
    return list;
  }
  document.addEventListener('dragstart', (event) => {
    dragged = event.target.closest?.('[data-drag-item]') ?? null;
    if (dragged === null) return;
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', dragged.dataset.dragItem);
    dragged.classList.add('dragged');
  });
  document.addEventListener('dragend', () => {
    dragged?.classList.remove('dragged');
    dragged = null;
    clearMarks();
    if (again) refresh();
  });
  document.addEventListener('dragover', (event) => {
    const list = listAt(event);
    if (!list) return;
    clearMarks();
    (event.target.closest('[data-drag-item]') ?? list).classList.add('over');
  });
  document.addEventListener('drop', (event) => {
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

  /** Loads the page again while something on it is still being found out. */
  let later;
  function prepare() {
    for (const field of all('[data-counter]')) count(field);
    tick();
    apply();
    clearTimeout(later);
    if (first('[data-pending]') !== null) later = setTimeout(refresh, 1000);
  }

  /** On a phone, the navigation is wider than the screen. */
  function showPlace() {
    const nav = first('.top nav');
    const here = nav?.querySelector('[aria-current]');
    if (here) nav.scrollLeft = here.offsetLeft - nav.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
  }

  showPlace();
  ahead = Number(data.at) - Date.now();
  // The page was made before it arrived; a difference of seconds is that of the clocks.
  if (Math.abs(ahead) < 5000) ahead = 0;
  if (account !== undefined) {
    lead({});
    channel.postMessage('hello');
    heard = Date.now();
    present();
    setInterval(present, 15000);
    addEventListener('pagehide', () => present(true));
    document.addEventListener('visibilitychange', () => {
      present(document.hidden);
      channel.postMessage('hello');
      if (again) refresh();
    });
  }
  setInterval(tick, 1000);
  prepare();
})();
