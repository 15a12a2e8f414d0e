/** Makes images as small as models take them. */
import { h } from '../../lib/h.js';
import { fitInto, readImageSize } from './image-size.js';

/** @typedef {{ file: File, width: number, height: number, isScaled: boolean }} ScaledImage */

/** Longer sides are scaled down by the models themselves (OpenAI, "Images and vision": 2048; Anthropic, "Vision": 1568). */
const LONG_SIDE = 2048;
/** Anthropic takes 5 MB of base64 at most. */
const KEPT_BYTES = 3.5 * 1024 * 1024;
const HEADER_BYTES = 256 * 1024;
/** A decoded image takes four bytes per pixel. */
const MAX_PIXELS = 100_000_000;
const JPEG_QUALITY = 0.9;

/**
 * Scales an image down on a canvas. A small one is returned byte by byte as it is.
 * @param {File} file with its true media type
 * @returns {Promise<ScaledImage>}
 * @throws {Error} with a message for people
 */
export async function scaleImage(file) {
  const size = readImageSize(new Uint8Array(await file.slice(0, HEADER_BYTES).arrayBuffer()));
  if (size && size.width * size.height > MAX_PIXELS) {
    const megapixels = Math.round((size.width * size.height) / 1e6);
    throw new Error(`“${file.name}” is too large: it has ${megapixels} megapixels, the limit is 100.`);
  }
  if (size && file.size <= KEPT_BYTES && Math.max(size.width, size.height) <= LONG_SIDE)
    return { file, ...size, isScaled: false };
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`“${file.name}” cannot be opened. The image may be damaged.`);
  });
  try {
    const target = fitInto(bitmap, LONG_SIDE);
    return { file: await encode(bitmap, target, file), ...target, isScaled: true };
  } finally {
    bitmap.close();
  }
}

/**
 * A PNG stays a PNG, because text in screenshots suffers from JPEG; a JPEG if it would be too large.
 * @param {ImageBitmap} bitmap
 * @param {import('./image-size.js').Size} size
 * @param {File} file
 */
async function encode(bitmap, { width, height }, file) {
  const canvas = h('canvas', { width, height });
  const context = canvas.getContext('2d');
  if (!context) throw new Error('This browser cannot scale images. Choose a smaller one.');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  if (file.type !== 'image/jpeg') {
    const png = await toBlob(canvas, 'image/png');
    if (png.size <= KEPT_BYTES) return new File([png], withExtension(file.name, 'png'), { type: png.type });
  }
  // JPEG has no transparency: what was transparent becomes white.
  context.globalCompositeOperation = 'destination-over';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  const jpeg = await toBlob(canvas, 'image/jpeg');
  return new File([jpeg], withExtension(file.name, 'jpg'), { type: jpeg.type });
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} type
 * @returns {Promise<Blob>}
 */
function toBlob(canvas, type) {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) =>
        blob ? resolve(blob) : reject(new Error('The image cannot be scaled. Choose a smaller one.')),
      type,
      JPEG_QUALITY,
    );
  });
}

/**
 * @param {string} name
 * @param {string} extension
 */
function withExtension(name, extension) {
  const same = extension === 'jpg' ? /\.jpe?g$/i : /\.png$/i;
  return same.test(name) ? name : `${name.replace(/\.[A-Za-z0-9]{1,10}$/, '')}.${extension}`;
}
