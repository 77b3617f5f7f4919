// A search over all tables of a database: the first rows of each that holds the words, as they are found.
import { html, useEffect, useState } from '../shared/html.js'
import { rows } from '../shared/api.js'
import { Empty } from '../shared/layout.js'
import { columnName, keyPairs, search } from './filter.js'
import { firstColumns } from './model.js'
import { address } from './route.js'
import { Cell, rightAligned } from './value.js'

const EACH = 3
const AT_ONCE = 3
const PATIENCE = 5000
const COLUMNS = 8

// What was found in one table, or why not.
async function lookIn(t, words, signal) {
	const late = new AbortController()
	const stop = () => late.abort()
	signal.addEventListener('abort', stop)
	const timer = setTimeout(stop, PATIENCE)
	const columns = [...new Set([...t.key, ...firstColumns(t)])]
	try {
		const { rows: found } = await rows(t.name, [['select', columns.map(columnName).join(',')], search(t, words), ['limit', EACH + 1]], { schema: t.schema, signal: late.signal })
		return { t, found }
	} catch (error) {
		return { t, found: [], failed: error.name === 'AbortError' ? 'takes too long to search' : error.message }
	} finally {
		clearTimeout(timer)
		signal.removeEventListener('abort', stop)
	}
}

export function Everywhere({ model, words }) {
	const [state, set] = useState({ done: 0, of: 0, results: [] })
	useEffect(() => {
		const stop = new AbortController()
		const tables = model.tables.filter((t) => t.can.select && search(t, words))
		set({ done: 0, of: tables.length, results: [] })
		const waiting = [...tables]
		const work = async () => {
			for (let t; (t = waiting.shift()) && !stop.signal.aborted; ) {
				const result = await lookIn(t, words, stop.signal)
				if (!stop.signal.aborted) set((s) => ({ ...s, done: s.done + 1, results: result.found.length || result.failed ? [...s.results, result] : s.results }))
			}
		}
		for (let i = 0; i < AT_ONCE; i++) work()
		return () => stop.abort()
	}, [model, words])
	const hits = state.results.filter((r) => r.found.length).sort((a, b) => a.t.name.localeCompare(b.t.name))
	const failed = state.results.filter((r) => r.failed)
	return html`<p role="status" class="text-body-secondary">${state.done < state.of ? `Searched ${state.done} of ${state.of} tables…` : `“${words}” is in ${hits.length} of the ${state.of} tables with text.`}</p>
		${state.done === state.of && state.of > 0 && !hits.length && html`<${Empty} title="Nothing found"><p class="mb-0">Columns of text are searched, and keys that are whole numbers.</p><//>`}
		${hits.map((r) => html`<${Hits} key=${r.t.name} ...${r} words=${words} />`)}
		${failed.length > 0 && html`<ul class="small text-body-secondary">${failed.map((r) => html`<li>${r.t.name} ${r.failed}</li>`)}</ul>`}`
}

const end = (t, c) => (rightAligned(t.byName[c]) ? 'text-end' : '')

// Columns that hold the words stand first.
function Hits({ t, found, words }) {
	const holds = (c) => found.some((r) => String(r[c] ?? '').toLowerCase().includes(words.toLowerCase()))
	const first = firstColumns(t)
	const columns = [...new Set([...t.key, ...first.filter(holds), ...first])].slice(0, COLUMNS)
	return html`<section class="mb-3" aria-label=${t.name}><h2 class="h6 mb-1"><a href=${address({ schema: t.schema, table: t.name, pairs: [['q', words]] })}>${t.name}</a></h2>
		<div class="table-responsive" tabindex="0" role="region" aria-label=${`Rows of ${t.name}`}><table class="table table-sm rows"><thead><tr>${t.key.length > 0 && html`<th scope="col"><span class="visually-hidden">Open</span></th>`}${columns.map((c) => html`<th scope="col" class=${end(t, c)}>${c}</th>`)}</tr></thead>
			<tbody>${found.slice(0, EACH).map((r) => html`<tr>${t.key.length > 0 && html`<td><a href=${address({ schema: t.schema, table: t.name, action: 'row', pairs: keyPairs(t, r) })} aria-label=${`Open ${t.key.map((k) => r[k]).join(' ')}`}>Open</a></td>`}
				${columns.map((c) => html`<td class=${end(t, c)}><${Cell} column=${t.byName[c]} value=${r[c]} /></td>`)}</tr>`)}</tbody></table></div>
		${found.length > EACH && html`<a class="small" href=${address({ schema: t.schema, table: t.name, pairs: [['q', words]] })}>All that match in ${t.name}</a>`}</section>`
}
