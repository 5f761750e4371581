import decodeQR from 'qr/decode.js';
import { expect, it } from 'vitest';
import { type QrCode, qrCode } from '../../../src/feeds/index-page/index-page.ts';

it.each([
  'https://wire.example.com/feeds/latest.atom',
  'https://wire.example.com/feeds/reporter/%E9%99%88%E6%80%9D.atom',
  `https://wire.example.com/${'a'.repeat(500)}/feeds/latest.atom`,
])('qrCode encodes %s, with a quiet zone of four modules', (url) => {
  const code = qrCode(url);
  expect(decodeQR(drawn(code))).toBe(url);
  const corners = [...code.path.matchAll(/M(\d+) (\d+)h(\d+)/g)].map(([, x, y, width]) => [
    Number(x),
    Number(y),
    Number(width),
  ]);
  for (const [x = 0, y = 0, width = 0] of corners) {
    expect(Math.min(x, y, code.size - x - width, code.size - y - 1)).toBeGreaterThanOrEqual(4);
  }
});

/** The path as a browser would paint it, four pixels a module. */
function drawn({ size, path }: QrCode): { width: number; height: number; data: Uint8Array } {
  const scale = 4;
  const width = size * scale;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, x, y, run] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row++) {
      for (let column = Number(x) * scale; column < (Number(x) + Number(run)) * scale; column++) {
        data.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3);
      }
    }
  }
  return { width, height: width, data };
}
