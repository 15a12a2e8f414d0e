// A reporter for node:test that writes one JSON line per test that ended, for run.mjs to count and to list what was skipped.
const { relative } = require('node:path');

/** Yields `{outcome, file, name, reason}` lines from the runner's events; a suite counts only where it was skipped whole. */
async function* outcomeReporter(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const left = data.skip ?? data.todo;
    if (left === undefined && (data.details?.type === 'suite' || isPassedFile(type, data))) continue;
    const outcome = left !== undefined ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed';
    const reason = typeof left === 'string' && left !== '' ? left : 'no reason given';
    const file = data.file === undefined ? '' : relative(process.cwd(), data.file);
    yield `${JSON.stringify({ outcome, file, name: data.name, reason })}\n`;
  }
}

// The runner reports a file without a test as a test that passed.
function isPassedFile(type, data) {
  return type === 'test:pass' && data.nesting === 0 && data.name.endsWith('.test.ts');
}

// CommonJS, because the runner takes a module's default export, which this code base does without.
module.exports = outcomeReporter;
