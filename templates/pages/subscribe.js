/*
 * Submits each <form data-daywire> without leaving the page, and shows the answer in its element with role="status".
 * A form without that element, a browser without scripts and a request that fails are submitted as usual. It sets no
 * cookie and has no words of its own: they come from daywire, in the publication's language.
 */
document.addEventListener('submit', async (event) => {
  const form = event.target;
  const button = form.querySelector('button, [type=submit]');
  const region = form.querySelector('[role=status]');
  if (event.defaultPrevented || !form.matches('form[data-daywire]') || !button || !region) return;
  event.preventDefault();
  if (button.disabled) return;
  button.disabled = true;
  const answer = await submit(form);
  button.disabled = false;
  if (answer === null) HTMLFormElement.prototype.submit.call(form);
  else show(form, region, answer);
});

/** Resolves to null if there is no answer. */
async function submit(form) {
  const body = new URLSearchParams(new FormData(form));
  // Milliseconds since the page was opened: programs are faster than people.
  body.set('elapsed', Math.round(performance.now()));
  try {
    const response = await fetch(form.getAttribute('action'), {
      method: 'POST',
      headers: { Accept: 'application/json' },
      body,
      credentials: 'omit',
      signal: AbortSignal.timeout(15_000),
    });
    const answer = await response.json();
    return typeof answer.message === 'string' ? answer : null;
  } catch {
    return null;
  }
}

/** Keeps what was typed unless the request was accepted. The focus goes to the first wrong field, or to the answer. */
function show(form, region, { status, message, errors = {} }) {
  region.id ||= `daywire-${[...document.forms].indexOf(form)}`;
  region.textContent = message;
  const isWrong = (field) => Object.hasOwn(errors, field.name);
  for (const field of form.elements) {
    // The page may describe a field itself.
    const description = field.getAttribute('aria-describedby');
    field.removeAttribute('aria-invalid');
    if (description === region.id) field.removeAttribute('aria-describedby');
    if (!isWrong(field)) continue;
    field.setAttribute('aria-invalid', 'true');
    field.setAttribute('aria-describedby', description ?? region.id);
  }
  if (status === 'check-inbox') form.reset();
  const wrong = [...form.elements].find((field) => isWrong(field) && field.type !== 'hidden');
  (wrong ?? region).focus();
}
