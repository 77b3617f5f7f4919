// What the pages ask of /rest/v1.
import { download, quoted, rows, saveAs, tablePath } from '../shared/api.js'

const OUTLIERS = 500
const GROUPS = 500

// Filters of a column that holds one of the words; an empty word stands for null.
export function among(column, words) {
	const given = words.filter((w) => w !== '')
	const list = `in.(${given.map(quoted).join(',')})`
	if (!words.length) return []
	if (!given.length) return [[column, 'is.null']]
	return given.length === words.length ? [[column, list]] : [['or', `(${column}.is.null,${column}.${list})`]]
}

// From and to, both included; words that are empty or no such value are passed over.
export const between = (column, from, to, pattern = /^\d{4}-\d\d-\d\d$/) => [
	...(pattern.test(from || '') ? [[column, `gte.${from}`]] : []),
	...(pattern.test(to || '') ? [[column, `lte.${to}`]] : []),
]

// Text to be found anywhere, taken as it stands.
export const containing = (text) => `ilike.*${text.replace(/[\\%_*]/g, '\\$&')}*`

// { groups: [{ key, n, min, q1, median, q3, max, mean, lower_whisker, upper_whisker, outliers, p90 }], all }.
export async function boxes({ schema, table, key, value, filters, signal }) {
	const where = [...filters, [value, 'not.is.null']]
	const ask = (select, more) => rows(table, [['select', select], ...where, ...more], { schema, signal })
	const figures = `box:${value}.boxplot(${OUTLIERS}),p90:${value}.quantile(0.9)`
	const [found, whole] = await Promise.all([
		ask(`key:${key},${figures}`, [['limit', String(GROUPS)]]),
		ask(`box:${value}.boxplot(0),p90:${value}.quantile(0.9)`, []),
	])
	const flat = ({ key, box, p90 }) => ({ key, ...box, p90 })
	return { groups: found.rows.map(flat), all: flat(whole.rows[0]), cut: found.rows.length === GROUPS }
}

// The values a column has, with how often: [{ value, n }].
export const facet = async ({ schema, table, column, signal }) =>
	(await rows(table, [['select', `value:${column},n:count()`], ['order', column], ['limit', String(GROUPS)]], { schema, signal })).rows

const cell = (value) => {
	const text = value === null || value === undefined ? '' : String(value)
	return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text
}

// Saves what a table shows, by its columns [{ label, value }].
export function saveTable(columns, list, filename) {
	const lines = [columns.map((c) => c.label), ...list.map((row) => columns.map((c) => c.value(row)))]
	saveAs(new Blob([lines.map((l) => l.map(cell).join(',') + '\r\n').join('')], { type: 'text/csv' }), filename)
}

// Saves the rows behind it, as the API gives them.
export const saveRows = (schema, table, filters, filename) =>
	download(tablePath(table, filters), filename, { schema, accept: 'text/csv' })
