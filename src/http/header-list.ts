/** Header names in lower case and their values by turns: the form that node:http writes fastest, and the one used inside. */
export type HeaderList = readonly string[];
