/** Forms: every act is one, so that it works without JavaScript. */
import { html } from 'hono/html';
import type { DeskRequest, Html } from '../desk-request.ts';

export interface ButtonOptions {
  /** Hidden fields. */
  fields?: Record<string, string | number>;
  /** Stable, so that the focus stays on the button after the act. */
  id?: string;
  /** A single key that presses it; on a row, while the row has the focus. */
  key?: string;
  /** The one primary button of the page. */
  primary?: boolean;
  /** Looks like a link. */
  quiet?: boolean;
  /** For an act that cannot be undone. */
  danger?: boolean;
  /** What assistive technology reads instead of a short label, which it must contain. */
  name?: string;
  disabled?: boolean;
}

/** A form with one button. @param action below the desk's path */
export function postButton(request: DeskRequest, action: string, label: string, options: ButtonOptions = {}): Html {
  return html`<form class="inline" method="post" action="${request.desk.base}${action}">${hiddenFields(
    options.fields ?? {},
  )}${submitButton(label, options)}</form>`;
}

/** A button of a form that has further fields. */
export function submitButton(label: string, options: Omit<ButtonOptions, 'fields'> = {}): Html {
  const look = options.primary ? 'primary' : options.danger ? 'danger' : options.quiet ? 'quiet' : '';
  const { id, key, name, disabled } = options;
  const attributes = { class: look, id, 'data-key': key, 'aria-label': name, disabled };
  return html`<button type="submit"${attributesOf(attributes)}>${label}</button>`;
}

/** Attributes of an element, each after a blank; those that are undefined, false or empty are left out. */
function attributesOf(attributes: Record<string, string | number | boolean | undefined>): Html[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    if (value === undefined || value === false || value === '') return [];
    return value === true ? html` ${name}` : html` ${name}="${value}"`;
  });
}

export function hiddenFields(fields: Record<string, string | number>): Html[] {
  return Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
}

/** What is wrong with a form: a message by the id of its field; under the empty text, of the form as a whole. */
export type FormErrors = Readonly<Record<string, string | undefined>>;

/** The status of a page with a form. */
export function formStatus(errors: FormErrors): 200 | 422 {
  return Object.values(errors).every((message) => message === undefined) ? 200 : 422;
}

/** Lists the errors of a form at its top, where the focus goes, also without a script. Each leads to its field. */
export function errorSummary(errors: FormErrors): Html | '' {
  const found = Object.entries(errors).filter(([, message]) => message !== undefined);
  if (found.length === 0) return '';
  const items = found.map(
    ([id, message]) => html`<li>${id === '' ? message : html`<a href="#${id}">${message}</a>`}</li>`,
  );
  // With an id, so that it keeps the focus when the page is brought up to date.
  return html`<div class="errors" id="${found[0]?.[0]}-errors" role="alert" tabindex="-1" autofocus>
<strong>Not done:</strong><ul>${items}</ul></div>`;
}

/** The region that says why the act of a button was refused. @param label before the reason */
export function refusalRegion(reason: string | null | undefined, label = 'Not done'): Html {
  if (reason == null) return html`<section id="refusal" data-region role="alert"></section>`;
  return html`<section id="refusal" data-region role="alert" tabindex="-1" autofocus>
<p class="notice problem"><strong>${label}:</strong> ${reason}</p></section>`;
}

export interface FieldOptions {
  /** Also its id, unless `id` is given. */
  name: string;
  label: string;
  /** Foreign text, such as a headline, at the end of the label. */
  subject?: string;
  value?: string | undefined;
  id?: string;
  type?: 'text' | 'email' | 'url' | 'search' | 'number' | 'date' | 'datetime-local' | 'password' | 'file';
  /** A text area of so many lines. */
  rows?: number | undefined;
  /** Beneath the field. */
  hint?: string | undefined;
  /** What is wrong with the value: beneath the field, which is marked. */
  error?: string | undefined;
  required?: boolean;
  maxLength?: number;
  /** Characters that fit; a counter shows how many are used. */
  counter?: number;
  autocomplete?: string;
  placeholder?: string;
  readOnly?: boolean;
  /** A single key that focuses the field, and its name in the list of keys. Default: the label. */
  key?: string;
  keyName?: string;
  /** The one field that somebody types first. */
  hasFocus?: boolean;
  /** BCP 47, of the text in the field. */
  language?: string;
  /** Types of files. */
  accept?: string;
}

/** A field with its label, hint, error and counter. */
export function textField(options: FieldOptions): Html {
  const { name, label, value = '', type = 'text', rows, hint, error, counter, language } = options;
  const id = options.id ?? name;
  const described = [
    ...(hint === undefined ? [] : [`${id}-hint`]),
    ...(error === undefined ? [] : [`${id}-error`]),
    ...(counter === undefined ? [] : [`${id}-counter`]),
  ].join(' ');
  const common = attributesOf({
    ...{ id, name, 'aria-describedby': described, 'aria-invalid': error === undefined ? undefined : 'true' },
    ...{ required: options.required, accept: options.accept, maxlength: options.maxLength, 'data-counter': counter },
    ...{ autocomplete: options.autocomplete, placeholder: options.placeholder, readonly: options.readOnly },
    // An error takes the focus to the summary.
    ...{ autofocus: options.hasFocus && error === undefined, 'data-key': options.key },
    ...{ 'data-key-name': options.key === undefined ? undefined : (options.keyName ?? label) },
    ...{ lang: language, dir: 'auto' },
  });
  const control =
    rows === undefined
      ? html`<input type="${type}"${common} value="${value}">`
      : // The line break after the tag is not part of the value, and one at the beginning of the value is kept.
        html`<textarea rows="${rows}"${common}>
${value}</textarea>`;
  return html`<div class="field${error === undefined ? '' : ' wrong'}"><label for="${id}">${label}${
    options.subject === undefined ? '' : html`: <bdi>${options.subject}</bdi>`
  }</label>
${control}
${hint === undefined ? '' : html`<p class="hint" id="${id}-hint" dir="auto">${hint}</p>`}
${counter === undefined ? '' : html`<p class="hint" id="${id}-counter">${[...value].length} of ${counter}</p>`}
${errorOf(id, error)}</div>`;
}

function errorOf(id: string, error: string | undefined): Html | '' {
  return error === undefined ? '' : html`<p class="error" id="${id}-error">${error}</p>`;
}

/** The account's password again, for an act that needs it. */
export function passwordField(error?: string): Html {
  return textField({
    ...{ name: 'password', label: 'Your password', type: 'password', autocomplete: 'current-password' },
    // The blank lets the style see that something is typed: see `download` in desk.css.
    ...{ required: true, error, placeholder: ' ' },
  });
}

export interface SelectOptions {
  name: string;
  label: string;
  id?: string;
  value?: string | undefined;
  options: readonly { value: string; label: string }[];
  hint?: string;
  error?: string | undefined;
}

export function selectField({ name, label, id = name, value, options, hint, error }: SelectOptions): Html {
  const described = [hint === undefined ? '' : `${id}-hint`, error === undefined ? '' : `${id}-error`].join(' ').trim();
  const attributes = { id, name, 'aria-describedby': described, 'aria-invalid': error === undefined ? '' : 'true' };
  const choices = options.map(
    (one) => html`<option value="${one.value}"${one.value === value ? html` selected` : ''}>${one.label}</option>`,
  );
  return html`<div class="field"><label for="${id}">${label}</label>
<select${attributesOf(attributes)}>${choices}</select>
${hint === undefined ? '' : html`<p class="hint" id="${id}-hint">${hint}</p>`}
${errorOf(id, error)}</div>`;
}

interface ChoiceOptions {
  type: 'radio' | 'checkbox';
  name: string;
  /** Default: the name. */
  id?: string;
  legend: string;
  options: readonly { value: string; label: Html | string }[];
  /** Values of those that are marked. */
  chosen: readonly string[];
  hint?: string;
  error?: string | undefined;
}

/** Radio buttons or checkboxes. The id is that of the first, where an error leads. */
export function choiceField({ type, name, id = name, legend, options, chosen, hint, error }: ChoiceOptions): Html {
  const wrong = error === undefined ? {} : { 'aria-invalid': 'true', 'aria-describedby': `${id}-error` };
  const choices = options.map(({ value, label }, index) => {
    const own = { type, name, value, id: index === 0 ? id : undefined, checked: chosen.includes(value) };
    return html`<label class="choice"><input${attributesOf({ ...own, ...wrong })}> <span>${label}</span></label>`;
  });
  return html`<fieldset><legend>${legend}</legend>${hint === undefined ? '' : html`<p class="hint">${hint}</p>`}
${choices}${errorOf(id, error)}</fieldset>`;
}
