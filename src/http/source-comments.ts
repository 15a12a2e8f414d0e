/** A comment that has its lines to itself, together with them. */
const OWN_LINES = /^[ \t]*(?:\/\*(?:(?!\*\/).)*\*\/|\/\/[^\n]*)[ \t]*\n/gms;

/** A script or style sheet without the comments that stand on lines of their own: a quarter of its compressed size. */
export function withoutComments(source: string): string {
  return source.replace(OWN_LINES, '');
}
