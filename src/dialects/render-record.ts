/** A record of an event stream whose data names its own type, as one line of JSON. */
export function typedRecord(event: { readonly type: string; readonly [member: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
