import { describe, expect, it } from 'vitest';
import { feedbackExchange, returnPathOf, sendingSetup } from '../../../src/delivery/sending-domain/sending-setup.ts';
import { sampleConfig } from '../../support/sample.ts';

function setupOf(lines: string, edit = (yaml: string) => yaml, env: NodeJS.ProcessEnv = {}) {
  const config = sampleConfig((yaml) => edit(yaml).replace('transport: file', `transport: smtp${lines}`), { env });
  return sendingSetup(config, []);
}

describe('what the configuration says about sending', () => {
  it('names the domain of each sender once, in lower case', () => {
    const setup = setupOf('', (yaml) => yaml.replace('weekly@example.com', 'weekly@News.Example.com'));
    expect(setup.senders).toEqual(['example.com', 'news.example.com']);
  });

  it('takes the return path from bounces.address, else from the sender', () => {
    expect(returnPathOf(setupOf(''), 'example.com')).toBe('example.com');
    const withAddress = setupOf('', (yaml) =>
      yaml.replace('# address: bounces@example.com', 'address: b@in.example.com'),
    );
    expect(returnPathOf(withAddress, 'example.com')).toBe('in.example.com');
  });

  it('with a mail provider, knows the return path only if it is named', () => {
    expect(returnPathOf(setupOf('\n  provider: sendgrid'), 'example.com')).toBeNull();
    const named = setupOf('\n  provider: sendgrid\n  returnPathDomain: em1.example.com');
    expect(returnPathOf(named, 'example.com')).toBe('em1.example.com');
    expect(named.provider?.title).toBe('SendGrid');
  });

  it.each([
    ['smtps://user:secret@email-smtp.eu-west-1.amazonaws.com:465', 'feedback-smtp.eu-west-1.amazonses.com'],
    ['smtp://email-smtp-fips.us-east-1.amazonaws.com', 'feedback-smtp.us-east-1.amazonses.com'],
    ['smtp://mail.example.com', null],
    ['smtp://192.0.2.1', null],
  ])('finds the region of Amazon SES by its SMTP server: %s', (url, exchange) => {
    expect(feedbackExchange(setupOf('', undefined, { DAYWIRE_SMTP_URL: url }))).toBe(exchange);
  });

  it('takes no name of this machine, and no IP address, for that of the mail server', () => {
    for (const host of ['127.0.0.1', '[::1]', 'localhost', 'postfix']) {
      expect(setupOf('', undefined, { DAYWIRE_SMTP_URL: `smtp://${host}:25` }).mailServer, host).toBeNull();
    }
    expect(setupOf('', undefined, { DAYWIRE_SMTP_URL: 'smtp://Mail.Example.com' }).mailServer).toBe('mail.example.com');
  });
});
