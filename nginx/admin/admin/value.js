// How values look in a list, and small things about them.
import { html } from '../shared/html.js'
import { Time } from '../shared/time.js'

const LONG = 120

export const shown = (value) => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value))

export function Cell({ column, value }) {
	if (value === undefined) return ''
	if (value === null) return html`<span class="null">null</span>`
	if (column.kind === 'zoned' || column.kind === 'datetime') return html`<${Time} value=${value} />`
	if (column.kind === 'binary') return html`<span class="font-monospace">${bytes((String(value).length - 2) / 2)}</span>`
	const text = shown(value)
	if (text.length > LONG) return html`<span title=${text.slice(0, 1000)}>${text.slice(0, LONG)}…</span>`
	return text
}

export const bytes = (n) => (n < 1000 ? `${n} bytes` : n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`)
export const counted = (n) => Number(n).toLocaleString('en')
export const rowsOf = (n) => `${counted(n)} row${n === 1 ? '' : 's'}`

export const fromHex = (hex) => Uint8Array.from({ length: (hex.length - 2) / 2 }, (_, i) => parseInt(hex.substr(2 + 2 * i, 2), 16))
export function toHex(array) {
	const parts = []
	for (const b of array) parts.push(b.toString(16).padStart(2, '0'))
	return '\\x' + parts.join('')
}
export const rightAligned = (c) => c.kind === 'integer' || c.kind === 'number'
