import { HttpError } from '../errors.ts';

/** What is known about an uploaded audio file before its content is read. */
export interface AudioFile {
  readonly filename: string | null;
  readonly contentType: string | null;
  /** The first 12 bytes, or all of a shorter file. */
  readonly head: Buffer;
}

const EXTENSIONS = /\.(mp3|mp4|mpeg|mpga|m4a|wav|wave|webm|flac|ogg|oga|opus)$/i;
const TYPES =
  /^(audio\/(mpeg|mp3|mp4|mpga|m4a|x-m4a|mp4a-latm|wav|x-wav|wave|vnd\.wave|webm|flac|x-flac|ogg|opus|x-mpeg|mpeg3|x-mpeg-3)|video\/(mp4|mpeg|webm|ogg)|application\/ogg)$/i;
const GENERIC_TYPE = /^((application|binary)\/octet-stream|audio\/\*)?$/i;

/**
 * Checks that an upload is in an audio format that OpenAI's API accepts: MP3, MP4, MPEG, MPGA, M4A, WAV, WEBM, FLAC or OGG.
 * The extension, the content type or the first bytes may show the format. A file without an extension and with a generic
 * content type passes unchecked.
 * @throws HttpError `invalid_value`, param `file`.
 */
export function checkAudioFile({ filename, contentType, head }: AudioFile): void {
  const type = (contentType ?? '').split(';', 1)[0]?.trim() ?? '';
  const name = filename ?? '';
  if (EXTENSIONS.test(name) || TYPES.test(type) || isAudio(head)) return;
  const hasExtension = /\.[a-z0-9]{1,8}$/i.test(name);
  if (!hasExtension && GENERIC_TYPE.test(type)) return;
  const message =
    'The file is not in a supported audio format: send MP3, MP4, MPEG, MPGA, M4A, WAV, WEBM, FLAC or OGG.';
  throw new HttpError('invalid_value', message, { param: 'file' });
}

const SIGNATURES: readonly (readonly [at: number, bytes: Buffer])[] = [
  [0, Buffer.from('ID3')],
  [0, Buffer.from('fLaC')],
  [0, Buffer.from('OggS')],
  [4, Buffer.from('ftyp')],
  [8, Buffer.from('WAVE')],
  [0, Buffer.from([0x1a, 0x45, 0xdf, 0xa3])], // EBML: WebM
  [0, Buffer.from([0, 0, 1, 0xba])], // MPEG program stream
  [0, Buffer.from([0, 0, 1, 0xb3])], // MPEG video
];

function isAudio(head: Buffer): boolean {
  if (SIGNATURES.some(([at, bytes]) => head.subarray(at, at + bytes.length).equals(bytes))) return true;
  const [first = 0, second = 0] = head;
  // An MPEG audio frame header: 11 sync bits, no reserved version, layer II or III (ISO/IEC 11172-3).
  const layer = second & 0x06;
  return (
    first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x18) !== 0x08 && (layer === 2 || layer === 4)
  );
}
