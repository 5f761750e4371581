import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  boundaryOf,
  CutMultipart,
  MultipartError,
  readField,
  readParts,
} from '../../../../src/audience/desk/import/multipart.ts';

/** A body in pieces of some bytes. */
async function* inPieces(body: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

async function readAll(body: Buffer, boundary: string, size = 7): Promise<[string, string | null, string][]> {
  const parts: [string, string | null, string][] = [];
  for await (const part of readParts(inPieces(body, size), boundary)) {
    const chunks: Buffer[] = [];
    for await (const chunk of part.content) chunks.push(chunk);
    parts.push([part.name, part.fileName, Buffer.concat(chunks).toString('latin1')]);
  }
  return parts;
}

it('reads what a browser sends, whatever the content and however it arrives', async () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom('\r\n', '--', '\r\n--', '\r\n--x', '\r\n\r\n').map((text) => Buffer.from(text)),
  );
  await fc.assert(
    fc.asyncProperty(content, fc.integer({ min: 1, max: 40 }), async (bytes, size) => {
      const form = new FormData();
      form.append('newsletter', 'daily');
      form.append('file', new File([bytes as Uint8Array<ArrayBuffer>], 'a "list".csv'));
      form.append('status', 'é');
      const request = new Request('http://localhost/', { method: 'POST', body: form });
      const boundary = boundaryOf(request.headers.get('Content-Type') ?? '') as string;
      const body = Buffer.from(await request.arrayBuffer());
      expect(await readAll(body, boundary, size)).toEqual([
        ['newsletter', null, 'daily'],
        ['file', 'a %22list%22.csv', Buffer.from(bytes).toString('latin1')],
        ['status', null, Buffer.from('é').toString('latin1')],
      ]);
    }),
    { numRuns: 60 },
  );
});

it('refuses a body that is cut, and one that is no form', async () => {
  const whole = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\ntext\r\n--b--\r\n';
  expect(await readAll(Buffer.from(whole), 'b')).toEqual([['a', null, 'text']]);
  for (let length = 0; length < whole.length - 4; length++) {
    await expect(readAll(Buffer.from(whole.slice(0, length)), 'b')).rejects.toThrow(CutMultipart);
  }
  for (const body of [
    'x'.repeat(9_000),
    '--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--',
    `--b\r\n${'X: y\r\n'.repeat(2_000)}\r\n`,
    '--bc\r\n\r\n--b--',
    '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'.repeat(101),
  ]) {
    await expect(readAll(Buffer.from(body), 'b', 1_000)).rejects.toThrow(MultipartError);
  }
});

it('refuses a long field, and skips what is not read', async () => {
  const part = (name: string, text: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
  const body = Buffer.from(`${part('a', 'x'.repeat(20_000))}${part('b', 'y')}--b--`);
  const names: string[] = [];
  for await (const { name } of readParts(inPieces(body, 999), 'b')) names.push(name);
  expect(names).toEqual(['a', 'b']);
  const reading = (async () => {
    for await (const one of readParts(inPieces(body, 999), 'b')) await readField(one);
  })();
  await expect(reading).rejects.toThrow('the field a has more than');
});

it('reads the boundary of forms only', () => {
  expect(boundaryOf('multipart/form-data; boundary=----WebKit7')).toBe('----WebKit7');
  expect(boundaryOf('Multipart/Form-Data; charset=utf-8; boundary="a b"')).toBe('a b');
  expect(boundaryOf('application/x-www-form-urlencoded')).toBeNull();
  expect(boundaryOf('multipart/form-data')).toBeNull();
  expect(boundaryOf(`multipart/form-data; boundary=${'b'.repeat(71)}`)).toBeNull();
});
