/** Reads the size of an image from its header, before a browser decodes it: a small file can hold a huge image. Has no DOM. */

/** @typedef {{ width: number, height: number }} Size in pixels */

/**
 * @param {Uint8Array} bytes the file, or its first 256 KiB: the size of a JPEG comes after its metadata
 * @returns {Size | null} null if the header has no size
 */
export function readImageSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint32(0) === 0x89504e47) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (view.getUint16(0) === 0xffd8) return readJpegSize(view);
    if (view.getUint32(0) === 0x47494638)
      return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    return view.getUint32(0) === 0x52494646 ? readWebpSize(view) : null;
  } catch (error) {
    // The file ends within its header.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * The size in the frame header (ITU-T T.81, B.2.2). Segments have their length in front.
 * @param {DataView} view
 * @returns {Size | null}
 */
function readJpegSize(view) {
  let at = 2;
  for (;;) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    // 0xff may be repeated before a marker.
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
}

/**
 * The size in the first chunk: VP8X, VP8L or VP8 (RFC 9649, sections 2.5 to 2.7).
 * @param {DataView} view
 * @returns {Size | null}
 */
function readWebpSize(view) {
  const chunk = view.getUint32(12);
  if (chunk === 0x56503858) {
    const side = (/** @type {number} */ at) => (view.getUint32(at, true) & 0xffffff) + 1;
    return { width: side(24), height: side(27) };
  }
  if (chunk === 0x5650384c) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (chunk !== 0x56503820) return null;
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

/**
 * The size that fits into a square, with the same proportions; the same size if it fits already.
 * @param {Size} size
 * @param {number} longSide in pixels
 * @returns {Size}
 */
export function fitInto({ width, height }, longSide) {
  const scale = Math.min(1, longSide / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
