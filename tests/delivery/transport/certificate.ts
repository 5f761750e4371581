/**
 * A self-signed certificate for 127.0.0.1, made on the spot, since a file would expire.
 */
import { generateKeyPairSync, sign } from 'node:crypto';

/**
 * PEM. The certificate is its own authority, and valid from an hour ago until an hour after `now`.
 * @param name a host name that it has, too
 */
export function makeCertificate(now: number, name?: string): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // ecdsa-with-SHA256; RFC 5758 §3.2.
  const algorithm = sequence(oid('2a8648ce3d040302'));
  // 2.5.4.3, the common name: another one for each, since it is how an authority is found.
  const subject = sequence(
    der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(`daywire test ${name ?? ''} ${now}`)))),
  );
  const names = [der(0x87, Buffer.of(127, 0, 0, 1)), ...(name === undefined ? [] : [der(0x82, Buffer.from(name))])];
  const hour = 3_600_000;
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1)),
    algorithm,
    subject,
    sequence(utcTime(Math.min(now, Date.now()) - hour), utcTime(now + hour)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        // 2.5.29.17, the alternative names; 2.5.29.19: this is an authority.
        sequence(oid('551d11'), der(0x04, sequence(...names))),
        sequence(oid('551d13'), der(0x04, sequence(der(0x01, Buffer.of(0xff))))),
      ),
    ),
  );
  const signature = sign('sha256', tbs, privateKey);
  const bytes = sequence(tbs, algorithm, der(0x03, Buffer.of(0), signature));
  const lines = (bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

/** Tag, length, value (X.690 §8.1). */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const length = value.length;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), value]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), value]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), value]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function utcTime(instant: number): Buffer {
  const digits = new Date(instant).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}
