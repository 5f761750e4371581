/**
 * A QR code as a page draws it.
 */
import encodeQR from 'qr';

export interface QrCode {
  /** Modules on each side, the quiet zone among them. */
  size: number;
  /** The dark modules, as the `d` of an SVG path. */
  path: string;
}

/** ISO/IEC 18004 §5.3.8: a reader finds the code by four light modules around it. */
const QUIET_ZONE = 4;

/** The text as a QR code that bears a scratch (error correction M). */
export function qrCode(text: string): QrCode {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_ZONE });
  return { size: rows.length, path: rows.flatMap(darkRuns).join('') };
}

function darkRuns(row: boolean[], y: number): string[] {
  const runs: string[] = [];
  for (let x = 0; x < row.length; x++) {
    if (row[x] !== true) continue;
    const from = x;
    while (row[x + 1] === true) x++;
    const width = x + 1 - from;
    runs.push(`M${from} ${y}h${width}v1h-${width}z`);
  }
  return runs;
}
