// Times with a zone are shown in the reader's, with UTC on hover; times without one are shown as they are.
import { html } from './html.js'

const zoned = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$/
const pad = (n, width = 2) => String(n).padStart(width, '0')

export const isZoned = (value) => typeof value === 'string' && zoned.test(value)

// YYYY-MM-DD HH:MM:SS in the reader's zone.
export function localTime(value) {
	const t = new Date(value)
	if (isNaN(t)) return String(value)
	return `${pad(t.getFullYear(), 4)}-${pad(t.getMonth() + 1)}-${pad(t.getDate())} ${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`
}

export const utcTime = (value) => {
	const t = new Date(value)
	return isNaN(t) ? String(value) : t.toISOString().replace('T', ' ').replace(/\.?0*Z$/, '') + ' UTC'
}

export const Time = ({ value }) =>
	isZoned(value)
		? html`<time datetime=${value} title=${utcTime(value)}>${localTime(value)}</time>`
		: html`<time>${String(value).replace('T', ' ')}</time>`
