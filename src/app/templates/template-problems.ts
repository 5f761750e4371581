/**
 * Parses all templates, and renders a sample of each edition and service message, so that a broken one is found before
 * its slot.
 */
import { consentTextOf } from '../../audience/consent/consent-text.ts';
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { newsletterSite, type SiteView } from '../../core/config/site-view.ts';
import { type Finding, firstLine, ok, problem } from '../../core/finding.ts';
import { SERVICE_MESSAGE_KINDS } from '../../core/store/tables.ts';
import { prepareServiceMessage, type ServiceMessage } from '../../delivery/message/service-message.ts';
import { assertMarked } from '../../editions/copies/build-segments.ts';
import { numberedStories } from '../../editions/rendering/edition-view.ts';
import { renderInProcess } from '../../editions/rendering/render-in-process.ts';
import type { Templates } from '../../lib/templates.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import { HOUR } from '../../lib/time.ts';
import { sampleEdition } from './sample-edition.ts';

/** Signs the links of the sample messages. */
const SECRETS: SigningSecrets = ['of the sample messages, which nobody sees'];
const NONCE = 'checkchecknonce0';

/** After templates that cannot be parsed, nothing is rendered. */
export async function checkTemplates(config: Config, templates: Templates, now: number): Promise<Finding[]> {
  const unparsed = templates.problems().map((text) => `templates: ${text}`);
  const problems =
    unparsed.length > 0
      ? unparsed
      : [...(await editionProblems(config, templates, now)), ...(await messageProblems(config, templates, now))];
  return problems.length > 0
    ? problems.map(problem)
    : [ok('templates: all parse, and those of editions and messages render')];
}

/** In a thread: a cold MJML takes a second. */
async function editionProblems(config: Config, templates: Templates, now: number): Promise<string[]> {
  const problems: string[] = [];
  for (const newsletter of config.newsletters) {
    const { id, template } = newsletter;
    const view = sampleEdition(config, id, now);
    const site = newsletterSite(config, newsletter);
    const problem = await problemOf(async () => {
      const { html, text, parts } = await renderInProcess(view, site, templates, { template, nonce: NONCE });
      requireImprint(site, `${template}.mjml`, html);
      requireImprint(site, `${template}.txt`, text);
      if (newsletter.choices !== undefined) assertMarked(parts, numberedStories(view).length);
    });
    if (problem !== null) problems.push(`newsletters ${id}: template ${template}: ${problem}`);
  }
  return problems;
}

async function messageProblems(config: Config, templates: Templates, now: number): Promise<string[]> {
  const [first] = config.newsletters;
  if (first === undefined) return [];
  const message: Omit<ServiceMessage, 'kind'> = {
    id: 1,
    subscriberId: 1,
    email: 'ada@example.com',
    tokenVersion: 1,
    newsletters: [first.id],
    createdAt: now,
    expiresAt: now + HOUR,
    consent: consentTextOf(config).text,
  };
  const problems: string[] = [];
  for (const kind of SERVICE_MESSAGE_KINDS) {
    const context = { config, templates: requireLinks(templates, kind), secrets: SECRETS, signers: [] };
    const problem = await problemOf(() => prepareServiceMessage({ ...message, kind }, context));
    if (problem !== null) problems.push(`templates: mail/${kind}: ${problem}`);
  }
  return problems;
}

/**
 * Templates that throw where a message lacks its link, or that to the imprint. Only the note that a subscription exists
 * needs no link of its own.
 */
function requireLinks(templates: Templates, kind: (typeof SERVICE_MESSAGE_KINDS)[number]): Templates {
  const withLinks = async (name: string, data: object, rendering: Promise<string>): Promise<string> => {
    const rendered = await rendering;
    if (kind !== 'already' && 'link' in data && !rendered.includes(String(data.link))) {
      throw new Error(`${name} has no link: add {{ link }}`);
    }
    if ('site' in data) requireImprint(data.site as SiteView, name, rendered);
    return rendered;
  };
  return {
    ...templates,
    html: (name, data, language) => withLinks(name, data, templates.html(name, data, language)),
    text: (name, data, language) => withLinks(name, data, templates.text(name, data, language)),
  };
}

/** @throws Error where an email lacks the link to the imprint that the configuration has */
function requireImprint({ imprint }: SiteView, name: string, rendered: string): void {
  if (imprint === null || rendered.includes(imprint.url) || rendered.includes(escapeHtml(imprint.url))) return;
  throw new Error(`${name} has no link to the imprint: add {{ site.imprint.url }}`);
}

async function problemOf(render: () => Promise<unknown>): Promise<string | null> {
  try {
    await render();
    return null;
  } catch (error) {
    return firstLine(error);
  }
}
