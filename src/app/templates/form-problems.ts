/**
 * Checks the forms of a rendered page: a form without the fields that daywire reads is refused when somebody submits
 * it. That happens to a newsroom's copy of a template from an earlier version. Pure.
 */
import { Parser } from 'htmlparser2';

interface PageForm {
  /** The path that it posts to, below the path of the publication. */
  path: string;
  /** Names with values; those of a select or a text area have the value null. */
  fields: { name: string; value: string | null }[];
}

interface FormRule {
  path: RegExp;
  /** The page at the same path is of no use without the form. */
  isOnOwnPage?: true;
  /** With what to add where a field is missing, and what happens then; unless it says so, the form is refused. */
  needs: { name: string; value?: string; add: string; without?: string }[];
}

const CHOICES = { name: 'newsletter', add: 'a check box or hidden field with the id of each newsletter' };

const CONSENT = {
  name: 'consent',
  add: "{% render 'pages/parts/consent', consent: consent, privacy: site.privacy, base: base %}",
  without: 'so that it is not recorded what people agree to',
};

/** The forms of `audience/pages/`, with the fields that each address needs. */
const RULES: FormRule[] = [
  {
    path: /^\/unsubscribe\/[^/]+$/,
    isOnOwnPage: true,
    needs: [{ name: 'unsubscribe', value: 'yes', add: '<input type="hidden" name="unsubscribe" value="yes">' }],
  },
  {
    path: /^\/preferences\/[^/]+$/,
    isOnOwnPage: true,
    needs: [
      CHOICES,
      { name: 'zone', add: "{% render 'pages/parts/zone-field', zone: zone, error: errors.zone %}" },
      { name: 'paused', add: '<input name="paused" type="date" value="{{ paused }}">' },
      CONSENT,
    ],
  },
  {
    path: /^\/subscribe$/,
    needs: [
      { name: 'email', add: '<input name="email" type="email">' },
      CHOICES,
      { ...CONSENT, add: CONSENT.add.replace('consent: consent', 'consent: form.consent') },
    ],
  },
  { path: /^\/confirm\/[^/]+$/, isOnOwnPage: true, needs: [CONSENT] },
  { path: /^\/(account\/export|account\/erase)\/[^/]+$/, isOnOwnPage: true, needs: [] },
  { path: /^\/preferences\/[^/]+\/(link|export|erase|revoke)$/, needs: [] },
];

/** Addresses that only daywire can have. A form may post elsewhere, such as to a search. */
const OWN = /^\/(unsubscribe|preferences|subscribe|confirm|account)(\/|$)/;

/**
 * @param page.path below that of the publication
 * @param page.isForm whether it is a response to GET with status 200: account pages have a form then
 * @param publicUrl without a trailing slash
 * @returns what is wrong, to follow the name of the page
 */
export function formProblems(page: { path: string; html: string; isForm: boolean }, publicUrl: string): string[] {
  const forms = formsOf(page.html, page.path, publicUrl);
  const problems = forms.flatMap(({ path, fields }) => {
    const rule = RULES.find((one) => one.path.test(path));
    if (rule === undefined) {
      return OWN.test(path) ? [`its form posts to ${withoutToken(path)}, where daywire accepts no form`] : [];
    }
    const isMissing = ({ name, value }: FormRule['needs'][number]): boolean =>
      !fields.some((field) => field.name === name && (value === undefined || field.value === value));
    return rule.needs
      .filter(isMissing)
      .map(({ name, add, without = 'and is refused' }) => `its form lacks the field "${name}" ${without}: add ${add}`);
  });
  const needsForm = page.isForm && RULES.some(({ path, isOnOwnPage }) => isOnOwnPage && path.test(page.path));
  if (needsForm && !forms.some(({ path }) => path === page.path)) {
    problems.push('it has no form that posts to its own address: add <form method="post"> with a button');
  }
  return problems;
}

/** The forms of a page that post to the publication. */
function formsOf(html: string, page: string, publicUrl: string): PageForm[] {
  const forms: (PageForm & { id: string | undefined })[] = [];
  const controls: { form: string; field: PageForm['fields'][number] }[] = [];
  let open: PageForm | null = null;
  const parser = new Parser({
    onopentag(tag, { name, value, ...attributes }) {
      if (tag === 'form') {
        const path = pathOf(attributes.action ?? '', page, publicUrl);
        const isPosted = attributes.method?.toLowerCase() === 'post';
        open = { path: path ?? '', fields: [] };
        if (isPosted && path !== null) forms.push(Object.assign(open, { id: attributes.id }));
      } else if (/^(input|button|select|textarea)$/.test(tag) && name !== undefined && !('disabled' in attributes)) {
        const field = { name, value: value ?? null };
        if (attributes.form === undefined) open?.fields.push(field);
        else controls.push({ form: attributes.form, field });
      }
    },
    onclosetag(tag) {
      if (tag === 'form') open = null;
    },
  });
  parser.end(html);
  for (const { form, field } of controls) forms.find(({ id }) => id === form)?.fields.push(field);
  return forms;
}

/** The path of a form's address below that of the publication; null for one of another site. */
function pathOf(action: string, page: string, publicUrl: string): string | null {
  const own = publicUrl + page;
  const target = action.trim() === '' ? own : action;
  if (!URL.canParse(target, own)) return null;
  const { origin, pathname } = new URL(target, own);
  const base = new URL(publicUrl);
  const prefix = base.pathname.replace(/\/+$/, '');
  return origin === base.origin && pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : null;
}

/** `/confirm/:token` */
export function withoutToken(path: string): string {
  return path.replace(/\/v[12]\.[^/]+/, '/:token');
}
