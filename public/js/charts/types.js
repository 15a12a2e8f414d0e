/**
 * The types of the charts.
 *
 * @typedef {number | string} Zone minutes east of UTC, or a time zone's IANA name
 * @typedef {'hour' | 'day'} BucketSize
 *
 * @typedef {object} Unit says how a value is written
 * @property {(value: number) => string} value for the tip, the table and speech
 * @property {(value: number, step: number) => string} tick for the axis, whose lines are one step apart
 * @property {boolean} isSummable false where a sum means nothing, as with percentiles
 * @property {number} leastStep the axis has no finer lines than this
 *
 * @typedef {object} SeriesInput
 * @property {string} id the entity, with its kind: `model:gpt-5.4`; its colour hangs on it
 * @property {string} name
 * @property {readonly (number | null)[]} values one for each bucket; null is no data
 * @property {boolean} [isOther] the rest, summed by the server
 * @property {boolean} [isBad] drawn in red with a hatch
 *
 * @typedef {object} Series a series as it is drawn
 * @property {string} id
 * @property {string} name
 * @property {readonly (number | null)[]} values
 * @property {boolean} isOther
 * @property {boolean} isBad
 * @property {readonly string[]} ids the entities in it: several in Other
 * @property {number} sum
 *
 * @typedef {object} ChartData
 * @property {string} title begins the summary and is the caption of the table
 * @property {Unit} unit
 * @property {BucketSize} bucket
 * @property {readonly number[]} starts the beginnings of the buckets, ms since the epoch, ascending
 * @property {number} nowMs
 * @property {Zone} zone
 * @property {readonly SeriesInput[]} series
 *
 * @typedef {{ index: number, startMs: number, endMs: number, isNow: boolean }} Bucket
 * @typedef {{ bucket: number, series: number | null }} Cursor what is chosen; a null series is all of them
 */

export {};
