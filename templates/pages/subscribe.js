/*
 * Submits each <form data-daywire> without leaving the page, and shows the answer in its element with role="status".
 * Without this script, or where a request fails, the form is submitted as usual. No cookie, no words of its own.
 */
document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches('form[data-daywire]')) return;
  event.preventDefault();
  const button = form.querySelector('[type=submit]');
  if (button.disabled) return;
  button.disabled = true;
  const answer = await submit(form);
  button.disabled = false;
  if (answer === null) return HTMLFormElement.prototype.submit.call(form);
  show(form, answer);
});

/** Resolves to null if there is no answer. */
async function submit(form) {
  const body = new URLSearchParams(new FormData(form));
  // Milliseconds since the page was opened: programs are faster than people.
  body.set('elapsed', Math.round(performance.now()));
  const headers = { Accept: 'application/json' };
  const signal = AbortSignal.timeout(15_000);
  try {
    const url = form.getAttribute('action');
    const response = await fetch(url, { method: 'POST', body, headers, credentials: 'omit', signal });
    const answer = await response.json();
    return typeof answer.message === 'string' ? answer : null;
  } catch {
    return null;
  }
}

/** Keeps what was typed unless the request was accepted. The focus goes to the first wrong field, or to the answer. */
function show(form, { status, message, errors = {} }) {
  const region = form.querySelector('[role=status]');
  region.id ||= `daywire-${[...document.forms].indexOf(form)}`;
  region.textContent = message;
  const isWrong = (field) => Object.hasOwn(errors, field.name);
  for (const field of form.elements) {
    field.removeAttribute('aria-invalid');
    field.removeAttribute('aria-describedby');
    if (!isWrong(field)) continue;
    field.setAttribute('aria-invalid', 'true');
    field.setAttribute('aria-describedby', region.id);
  }
  if (status === 'check-inbox') form.reset();
  const wrong = [...form.elements].find((field) => isWrong(field) && field.type !== 'hidden');
  (wrong ?? region).focus();
}
