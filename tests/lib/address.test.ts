import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailboxKey, maskedAddress, maskLocalPart, parseAddress, wireAddress } from '../../src/lib/address.ts';

function reasonFor(text: string): string | null {
  const parsed = parseAddress(text);
  return parsed.kind === 'invalid' ? parsed.reason : null;
}

function keyOf(text: string): string {
  const parsed = parseAddress(text);
  if (parsed.kind === 'invalid') throw new Error(parsed.reason);
  return parsed.key;
}

describe('an address', () => {
  it('is stored as given and compared without case', () => {
    expect(parseAddress(' Ada.Lovelace+news@Example.COM ')).toEqual({
      kind: 'valid',
      email: 'Ada.Lovelace+news@Example.COM',
      key: 'ada.lovelace+news@example.com',
    });
  });

  it('keeps its plus tag, which can be another mailbox', () => {
    expect(keyOf('ada+news@example.com')).not.toBe(keyOf('ada@example.com'));
  });

  it('is the same in Unicode and in punycode', () => {
    expect(keyOf('ada@BÜCHER.example')).toBe(keyOf('Ada@xn--bcher-kva.example'));
    expect(wireAddress('Ada@Bücher.example')).toBe('Ada@xn--bcher-kva.example');
    expect(parseAddress('ada@bücher.example')).toMatchObject({ email: 'ada@bücher.example' });
  });

  it('can have every character that RFC 5322 allows in an atom', () => {
    expect(reasonFor("o'neil!#$%&*+/=?^_`{|}~-x@example.com")).toBeNull();
  });

  it.each([
    ['', /empty/],
    ['ada', /no @/],
    ['@example.com', /nothing before/],
    ['ada@', /full domain name/],
    ['ada@localhost', /full domain name/],
    ['ada@-x.example', /full domain name/],
    ['ada@exa_mple.com', /full domain name/],
    ['ada@192.0.2.1', /full domain name/],
    ['ada@１９２.0.2.1', /full domain name/],
    ['ada@[192.0.2.1]', /full domain name/],
    ['ada@example.com:25', /full domain name/],
    ['ada@a%2eexample.com', /full domain name/],
    ['ada@evil.example/x.com', /full domain name/],
    ['.ada@example.com', /not allowed before/],
    ['a..b@example.com', /not allowed before/],
    ['a@b@example.com', /not allowed before/],
    ['a,b@example.com', /not allowed before/],
    ['"ada"@example.com', /only the address/],
    ['Ada <ada@example.com>', /only the address/],
    ['ada lovelace@example.com', /only the address/],
    ['ada@example.com\r\nBcc: eve@example.com', /control characters/],
    ['ada@example.com\u0085x', /control characters/],
    ['ædа@example.com', /SMTPUTF8/],
    [`${'a'.repeat(65)}@example.com`, /64 characters/],
    [`ada@${'a'.repeat(64)}.example`, /full domain name/],
    [`${'a'.repeat(64)}@${'a.'.repeat(94)}com`, /254 characters/],
  ])('%j is invalid, with a reason', (text, reason) => {
    expect(reasonFor(text)).toMatch(reason);
  });

  it('can be as long as RFC 5321 allows', () => {
    expect(reasonFor(`${'a'.repeat(64)}@${'a.'.repeat(93)}com`)).toBeNull();
  });

  it('has the same key after repeated parsing and in any case', () => {
    const address = fc.oneof(
      fc.emailAddress(),
      fc
        .tuple(
          fc.constantFrom('Ada', "o'neil+news", 'A_b-C'),
          fc.constantFrom('Bücher', 'STRASSE', 'пример', '例え', 'xn--bcher-kva'),
        )
        .map(([local, domain]) => `${local}@${domain}.example`),
    );
    fc.assert(
      fc.property(address, (text) => {
        const parsed = parseAddress(text);
        if (parsed.kind === 'invalid') return;
        expect(keyOf(parsed.key)).toBe(parsed.key);
        expect(keyOf(` ${text.toUpperCase().replaceAll('SS', 'ss')}\t`)).toBe(parsed.key);
        expect(keyOf(wireAddress(text))).toBe(parsed.key);
        expect(parsed.key).toMatch(/^[\x21-\x7e]+@[a-z0-9.-]+$/);
      }),
    );
  });

  it('is either invalid with a reason, or safe in a header and an SMTP command', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })).map(([a, b]) => `${a}@${b}.example`),
    );
    fc.assert(
      fc.property(text, (typed) => {
        const parsed = parseAddress(typed);
        if (parsed.kind === 'invalid') expect(parsed.reason).not.toBe('');
        else {
          expect(wireAddress(parsed.email)).toMatch(/^[\x21-\x7e]{1,64}@[a-z0-9.-]{1,253}$/);
          expect(parsed.email).not.toMatch(/[\s<>"\u0000-\u001f\u007f-\u009f]/);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the mailbox of an address', () => {
  it('is the same with any tag, and at Gmail with any dots', () => {
    expect(mailboxKey('ada.l+news+2@example.com')).toBe('ada.l@example.com');
    expect(mailboxKey('a.da+x@googlemail.com')).toBe('ada@gmail.com');
    expect(mailboxKey('a.d_a-l+x@pm.me')).toBe('adal@proton.me');
    expect(mailboxKey('a.da@mac.com')).toBe('a.da@icloud.com');
    expect(mailboxKey('a-d.a@ya.ru')).toBe('ada@yandex.ru');
    // Nothing would be left.
    expect(mailboxKey('-@pm.me')).toBe('-@proton.me');
    expect(mailboxKey('+news@example.com')).toBe('+news@example.com');
  });

  it('is that of a valid address, and its own mailbox, for every valid address and every tag', () => {
    const atom = fc.stringMatching(/^[a-z0-9!#$%&'*/=?^_`{|}~-]{1,12}$/);
    const local = fc.array(atom, { minLength: 1, maxLength: 3 });
    const domain = fc.constantFrom('example.com', 'mail.example', 'gmail.com', 'googlemail.com', 'protonmail.com');
    const tag = fc.stringMatching(/^[a-z0-9+-]{0,10}$/);
    fc.assert(
      fc.property(local, domain, tag, fc.boolean(), (atoms, domain, tag, upper) => {
        const plain = `${atoms.join('.')}@${domain}`;
        const tagged = `${atoms.join('.')}+${tag}@${domain}`;
        const mailbox = mailboxKey(keyOf(upper ? tagged.toUpperCase() : tagged));
        expect(mailbox).toBe(mailboxKey(keyOf(plain)));
        expect(keyOf(mailbox)).toBe(mailbox);
        expect(mailboxKey(mailbox)).toBe(mailbox);
        if (domain === 'protonmail.com') return;
        // Others keep their dots, and their own mailbox.
        if (!/^g(oogle)?mail/.test(domain)) expect(mailbox).toBe(plain);
        else expect(mailbox).toBe(`${atoms.join('')}@gmail.com`);
        expect(mailboxKey(keyOf(`x${plain}`))).not.toBe(mailbox);
      }),
    );
  });
});

describe('a masked address', () => {
  it('shows the first letters and the top-level domain only', () => {
    expect(maskedAddress('Ada.Lovelace@mail.example.com')).toBe('A…@m….com');
    expect(maskedAddress('ada@bücher.example')).toBe('a…@b….example');
    expect(maskedAddress('a@b.de')).toBe('a…@b….de');
  });
});

describe('an address with a masked local part', () => {
  it('shows the first character of the name, and the domain', () => {
    expect(maskLocalPart('jun.li+news@example.com')).toBe('j…@example.com');
    expect(maskLocalPart('a@bücher.example')).toBe('a…@bücher.example');
  });

  it('shows nothing of text that is no address', () => {
    expect(maskLocalPart('jun.li')).toBe('…');
    expect(maskLocalPart('')).toBe('…');
  });

  it('never shows a second character of the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.domain(), (name, domain) => {
        const masked = maskLocalPart(`${name}@${domain}`);
        const [first = ''] = name;
        expect(masked).toBe(`${first}…@${domain}`);
      }),
    );
  });
});
