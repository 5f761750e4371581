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

export interface FieldOptions {
  /** Also its id, unless `id` is given. */
  name: string;
  label: string;
  value?: string | undefined;
  id?: string;
  type?: 'text' | 'email' | 'url' | 'search' | 'number' | 'date' | 'datetime-local' | 'password';
  /** A text area of so many lines. */
  rows?: number;
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
    ...{ required: options.required, maxlength: options.maxLength, 'data-counter': counter },
    ...{ autocomplete: options.autocomplete, placeholder: options.placeholder, readonly: options.readOnly },
    ...{ autofocus: options.hasFocus, 'data-key': options.key },
    ...{ 'data-key-name': options.key === undefined ? undefined : (options.keyName ?? label) },
    ...{ lang: language, dir: 'auto' },
  });
  const control =
    rows === undefined
      ? html`<input type="${type}"${common} value="${value}">`
      : // The line break after the tag is not part of the value, and one at the beginning of the value is kept.
        html`<textarea rows="${rows}"${common}>
${value}</textarea>`;
  return html`<div class="field${error === undefined ? '' : ' wrong'}"><label for="${id}">${label}</label>
${control}
${hint === undefined ? '' : html`<p class="hint" id="${id}-hint" dir="auto">${hint}</p>`}
${counter === undefined ? '' : html`<p class="hint" id="${id}-counter">${[...value].length} of ${counter}</p>`}
${error === undefined ? '' : html`<p class="error" id="${id}-error">${error}</p>`}</div>`;
}

/** The account's password again, for an act that needs it. */
export function passwordField(error?: string): Html {
  return textField({
    ...{ name: 'password', label: 'Your password', type: 'password', autocomplete: 'current-password' },
    // The blank lets the style see that something is typed: the error of the last attempt hides then.
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
}

export function selectField({ name, label, id = name, value, options, hint }: SelectOptions): Html {
  const choices = options.map(
    (one) => html`<option value="${one.value}"${one.value === value ? html` selected` : ''}>${one.label}</option>`,
  );
  return html`<div class="field"><label for="${id}">${label}</label>
<select id="${id}" name="${name}"${hint === undefined ? '' : html` aria-describedby="${id}-hint"`}>${choices}</select>
${hint === undefined ? '' : html`<p class="hint" id="${id}-hint">${hint}</p>`}</div>`;
}
