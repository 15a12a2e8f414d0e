import { createHash } from 'node:crypto';
import { writePng } from './png.ts';

const CELLS = 8;
const COLOURS = 4;

/**
 * Paints a mosaic of 8 by 8 cells, mirrored left to right, from a seed, and returns it as a PNG of the given
 * size in pixels that carries its description as text. The same seed gives the same bytes.
 */
export function paintMosaic(options: {
  readonly seed: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
}): Buffer {
  const { width, height } = options;
  const digest = createHash('sha256').update(options.seed).digest();
  const pixels = new Uint8Array(width * height);
  let painted = -1;
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor((y * CELLS) / height);
    const start = y * width;
    if (row === painted) {
      pixels.copyWithin(start, start - width, start);
      continue;
    }
    painted = row;
    for (let x = 0; x < width; x += 1) {
      const column = Math.floor((x * CELLS) / width);
      const mirrored = Math.min(column, CELLS - 1 - column);
      pixels[start + x] = (digest[row * (CELLS / 2) + mirrored] ?? 0) % COLOURS;
    }
  }
  const hue = ((digest[0] ?? 0) << 8) | (digest[1] ?? 0);
  return writePng({ width, height, pixels, palette: paletteFrom(hue), description: options.description });
}

/** A light ground and three shades that lie around one hue, given as 0 to 65,535. */
function paletteFrom(hue: number): Uint8Array {
  const turn = hue / 65_536;
  const shade = (angle: number): number => Math.round(150 + 70 * Math.cos(2 * Math.PI * angle));
  const colours = [0, 0.12, 0.5].map((offset) => {
    const at = turn + offset;
    return [shade(at), shade(at - 1 / 3), shade(at + 1 / 3)];
  });
  return Uint8Array.from([[245, 245, 240], ...colours].flat());
}
