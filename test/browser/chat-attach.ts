import { createHash } from 'node:crypto';
import type { Locator, Page } from 'playwright-core';
import type { SampleFile } from './chat-samples.ts';
import type { UpstreamCall } from './chat-setup.ts';

/** What files are filled up with that are made longer. */
export const PADDING = 7;

/** Chooses images by the button. */
export function chooseFiles(page: Page, files: readonly SampleFile[]): Promise<void> {
  return page.getByLabel('Image file').setInputFiles([...files]);
}

/** The picture of a file that is attached to the next message. */
export function preview(page: Page, name: string): Locator {
  return page.getByRole('list', { name: 'Attached files' }).getByRole('img', { name, exact: true });
}

/** Pastes a file into the message, or drops it onto the conversation; made as long as asked for. */
export function handOver(
  page: Page,
  way: 'paste' | 'drop',
  { name, mimeType, buffer }: SampleFile,
  lengthBytes = buffer.length,
): Promise<void> {
  return page.evaluate(
    ({ way, name, mimeType, base64, lengthBytes, padding }) => {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
      const rest = new Uint8Array(lengthBytes - bytes.length).fill(padding);
      const data = new DataTransfer();
      data.items.add(new File([bytes, rest], name, { type: mimeType }));
      const common = { bubbles: true, cancelable: true };
      const target = document.querySelector(way === 'paste' ? '.composer textarea' : '.talk-body');
      const event =
        way === 'paste'
          ? new ClipboardEvent('paste', { ...common, clipboardData: data })
          : new DragEvent('drop', { ...common, dataTransfer: data });
      target?.dispatchEvent(event);
    },
    { way, name, mimeType, base64: buffer.toString('base64'), lengthBytes, padding: PADDING },
  );
}

/** SHA-256 in hexadecimal. */
export function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Type and SHA-256 of the images of the last message. */
export function sentImages({ body }: UpstreamCall): [string, string][] {
  const content = body.messages.at(-1)?.content ?? [];
  return [...content].flatMap((part) => {
    const url = typeof part === 'string' ? undefined : part.image_url?.url;
    const [, type = '', base64 = ''] = /^data:([^;]+);base64,(.*)$/.exec(url ?? '') ?? [];
    return url === undefined ? [] : [[type, digest(Buffer.from(base64, 'base64'))]];
  });
}
