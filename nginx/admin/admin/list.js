// The list of a table: rows first, then how many there are; sort, pages, filters, search, facets, what to do with many rows.
import { html, useEffect, useRef, useState } from '../shared/html.js'
import { countRows, download, request, rows as fetchRows, tablePath } from '../shared/api.js'
import { confirm, Dialog, Empty, Loading, Problem, toast, useLoad } from '../shared/layout.js'
import { address, go } from './route.js'
import { firstColumns, pickable } from './model.js'
import { columnName, everyRow, fromPairs, keyPairs, keysPair, oneColumn, RESERVED, search, toPairs } from './filter.js'
import { bytes, Cell, counted, rightAligned, rowsOf, shown } from './value.js'
import { FilterBar } from './filters.js'
import { Facets } from './facets.js'
import { BulkEdit } from './bulk.js'
import { actionsOf, EachRow } from './each.js'
import { QueryPlan } from './plan.js'
import { Menu } from './menu.js'

const SIZES = [25, 50, 100, 250]
const EXACT_BELOW = 100000

// What the address says: { order, limit, offset, q, columns, filters }.
export function listState(t, pairs) {
	const one = (name) => pairs.find(([k]) => k === name)?.[1]
	const columns = one('select')?.split(',').map((c) => c.replace(/^"|"$/g, '')).filter((c) => t.byName[c])
	return {
		order: (one('order') || '').split(',').filter(Boolean).map((o) => {
			const [, column, direction] = /^"?(.*?)"?(?:\.(asc|desc))?$/.exec(o)
			return { column, desc: direction === 'desc' }
		}).filter((o) => t.byName[o.column]),
		limit: Math.min(Math.max(Number(one('limit')) || 50, 1), 1000),
		offset: Math.max(Number(one('offset')) || 0, 0),
		q: one('q') || '',
		columns: columns?.length ? columns : null,
		filters: pairs.filter(([k]) => !RESERVED.has(k) && k[0] !== '!'),
	}
}

export function statePairs(s) {
	const pairs = []
	if (s.columns) pairs.push(['select', s.columns.map(columnName).join(',')])
	if (s.order.length) pairs.push(['order', s.order.map((o) => `${columnName(o.column)}.${o.desc ? 'desc' : 'asc'}`).join(',')])
	if (s.limit !== 50) pairs.push(['limit', s.limit])
	if (s.offset) pairs.push(['offset', s.offset])
	if (s.q) pairs.push(['q', s.q])
	return [...pairs, ...s.filters]
}

// The filters as the API is asked.
export const wheres = (t, s) => {
	const found = s.q && search(t, s.q)
	return found ? [...s.filters, found] : s.filters
}

// select with the labels of foreign keys beside their columns.
function selected(model, t, columns) {
	const key = t.key.filter((k) => !columns.includes(k))
	const labels = columns.flatMap((c, i) => {
		const target = pickable(model, t.byName[c])
		return target?.label && t.byName[c].fk.embed ? [`rg_${i}:${t.byName[c].fk.embed}(${columnName(target.label)})`] : []
	})
	return [...[...columns, ...key].map(columnName), ...labels].join(',')
}
export const query = (model, t, s, columns) => [
	['select', selected(model, t, columns)],
	...(s.order.length ? [['order', s.order.map((o) => `${columnName(o.column)}.${o.desc ? 'desc' : 'asc'}`).join(',')]] : []),
	...wheres(t, s),
]

export function List({ model, t, route }) {
	const s = listState(t, route.pairs)
	const columns = s.columns || firstColumns(t)
	const move = (change) => go({ ...route, action: undefined, pairs: statePairs({ ...s, offset: 0, ...change }) })
	const asked = JSON.stringify([t.schema, t.name, route.pairs])
	const [picked, pick] = useState({ all: false, rows: new Map() })
	const [dialog, setDialog] = useState(null)
	// Counts from before a change are of no use after it.
	const [turn, setTurn] = useState(0)
	useEffect(() => pick({ all: false, rows: new Map() }), [JSON.stringify([t.schema, t.name, s.filters, s.q])])

	const pairs = [...query(model, t, s, columns), ['limit', s.limit + 1], ['offset', s.offset]]
	const load = useLoad(async (signal) => {
		const { rows } = await fetchRows(t.name, pairs, { schema: t.schema, signal })
		return { asked, rows: rows.slice(0, s.limit), more: rows.length > s.limit }
	}, [asked])
	const count = useCount(t, s, load, asked, turn)

	const current = load.data
	const chosen = picked.all ? count.total : picked.rows.size
	const which = () => (picked.all ? (wheres(t, s).length ? wheres(t, s) : [everyRow(t)]) : [keysPair(t, [...picked.rows.values()])])
	const done = (text) => {
		toast(text)
		pick({ all: false, rows: new Map() })
		setDialog(null)
		setTurn(turn + 1)
		load.again()
	}
	const remove = async () => {
		const n = picked.all ? await countRows(t.name, oneColumn(t, wheres(t, s)), { schema: t.schema }) : chosen
		const yes = await confirm({ title: `Delete ${rowsOf(n)}?`, text: `This deletes ${rowsOf(n)} of ${t.name} for good${picked.all ? ': all that match' : ''}.`, action: `Delete ${counted(n)}`, danger: true, must: n > 1 ? n : undefined })
		if (!yes) return
		try {
			await request(tablePath(t.name, which()), { method: 'DELETE', schema: t.schema, headers: { Prefer: `handling=strict, max-affected=${n}, return=minimal` } })
			done(`${rowsOf(n)} deleted`)
		} catch (error) {
			toast(`Nothing was deleted. ${error.message} ${error.details || ''}`, 'danger')
		}
	}

	return html`<div class="list">
		<div class="d-flex flex-wrap align-items-center gap-2 mb-2">
			<h1 class="h4 m-0 me-auto text-break">${t.name}${t.view && html` <small class="badge text-bg-secondary">view</small>`}</h1>
			${t.can.insert && html`<a class="btn btn-sm btn-primary" href=${address({ ...route, action: 'new', pairs: [] })}>New</a>
				<a class="btn btn-sm btn-outline-secondary" href=${address({ ...route, action: 'import', pairs: [] })}>Import</a>`}
			${t.can.select && html`<a class="btn btn-sm btn-outline-secondary" href=${address({ ...route, action: 'chart', pairs: statePairs({ ...s, offset: 0 }) })}>Chart</a>`}
			<${Export} model=${model} t=${t} s=${s} columns=${columns} />
			<${Copy} model=${model} t=${t} s=${s} columns=${columns} rows=${current?.rows} />
			<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => setDialog('columns')}>Columns</button>
			<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => setDialog('plan')}>Query plan</button>
		</div>
		${t.comment && html`<p class="text-body-secondary small mb-2">${t.comment}</p>`}
		<div class="d-flex flex-wrap gap-2 mb-2 align-items-start">
			<${Search} t=${t} value=${s.q} onSearch=${(q) => move({ q })} />
			<${FilterBar} t=${t} root=${fromPairs(s.filters)} onChange=${(root) => move({ filters: toPairs(root) })} />
		</div>
		<div class="list-body">
			<${Facets} model=${model} t=${t} filters=${s.filters} wheres=${wheres(t, s)} onFilters=${(filters) => move({ filters })} />
			<div class="list-rows">
				${chosen > 0 && html`<div class="alert alert-info py-2 d-flex flex-wrap gap-2 align-items-center" role="status">
					<span>${picked.all ? `All ${rowsOf(count.total)} that match are selected.` : `${rowsOf(chosen)} selected.`}</span>
					${!picked.all && count.total > chosen && count.exact && chosen >= (current?.rows.length || 0) && html`<button type="button" class="btn btn-sm btn-link p-0"
						onClick=${() => pick({ ...picked, all: true })}>Select all ${counted(count.total)} that match</button>`}
					<span class="flex-grow-1"></span>
					${t.can.update && html`<button type="button" class="btn btn-sm btn-outline-primary" onClick=${() => setDialog('edit')}>Edit ${counted(chosen)}</button>`}
					${actionsOf(model, t).length > 0 && html`<button type="button" class="btn btn-sm btn-outline-primary" onClick=${() => setDialog('each')}>Run for ${counted(chosen)}</button>`}
					${t.can.delete && html`<button type="button" class="btn btn-sm btn-outline-danger" onClick=${remove}>Delete ${counted(chosen)}</button>`}
					<button type="button" class="btn btn-sm btn-link" onClick=${() => pick({ all: false, rows: new Map() })}>Clear</button>
				</div>`}
				${load.error && html`<${Problem} error=${load.error} retry=${load.again} />`}
				${!load.error && !current && html`<${Loading} what="Reading rows" />`}
				${!load.error && current && html`<${Rows} model=${model} t=${t} route=${route} columns=${columns} rows=${current.rows} order=${s.order}
					stale=${current.asked !== asked} onOrder=${(order) => move({ order })} picked=${picked} pick=${pick} onClear=${() => move({ filters: [], q: '' })} filtered=${wheres(t, s).length > 0} />
				<${Pager} s=${s} current=${current} count=${count} move=${move} />`}
			</div>
		</div>
		${dialog === 'columns' && html`<${Columns} t=${t} columns=${columns} onClose=${() => setDialog(null)} onChoose=${(c) => { setDialog(null); move({ columns: c, offset: s.offset }) }} />`}
		${dialog === 'edit' && html`<${BulkEdit} model=${model} t=${t} n=${chosen} which=${which} recount=${picked.all ? () => countRows(t.name, oneColumn(t, wheres(t, s)), { schema: t.schema }) : null}
			onClose=${() => setDialog(null)} onDone=${done} />`}
		${dialog === 'each' && html`<${EachRow} model=${model} t=${t} n=${chosen} which=${which} onClose=${() => setDialog(null)} onDone=${done} />`}
		${dialog === 'plan' && html`<${QueryPlan} t=${t} pairs=${pairs} onClose=${() => setDialog(null)} />`}
	</div>`
}

// How many rows match, asked after the rows are shown: exactly where the optimizer expects few, else as it estimates.
function useCount(t, s, load, asked, turn) {
	const [count, set] = useState({})
	const key = JSON.stringify([t.schema, t.name, s.filters, s.q, turn])
	const current = load.data
	const exactly = (signal) => countRows(t.name, oneColumn(t, wheres(t, s)), { schema: t.schema, signal }).then((total) => set({ key, total, exact: true }))
	useEffect(() => {
		if (load.loading || !current || current.asked !== asked) return
		const end = s.offset + current.rows.length
		if (!current.more && (current.rows.length || !s.offset)) return set({ key, total: end, exact: true })
		if (count.key === key && count.exact && count.total > end) return
		const stop = new AbortController()
		set({ key })
		countRows(t.name, oneColumn(t, wheres(t, s)), { schema: t.schema, count: 'planned', signal: stop.signal })
			.then((total) => (total < EXACT_BELOW ? exactly(stop.signal) : set({ key, total, exact: false })))
			.catch(() => {})
		return () => stop.abort()
	}, [load.loading, current, asked])
	return { ...(count.key === key ? count : {}), exactly: () => exactly().catch((e) => toast(e.message, 'danger')) }
}

function Pager({ s, current, count, move }) {
	const from = s.offset + 1
	const to = s.offset + current.rows.length
	const total = count.total === undefined ? (current.more ? 'counting…' : '') : count.exact ? `of ${counted(count.total)}` : `of about ${counted(count.total)}`
	return html`<nav class="d-flex flex-wrap gap-2 align-items-center mt-2" aria-label="Rows">
		<span role="status" class="small">${current.rows.length ? `${counted(from)}–${counted(to)} ${total}` : ''}</span>
		${count.exact === false && html`<button type="button" class="btn btn-sm btn-link p-0" onClick=${count.exactly}>count exactly</button>`}
		<span class="flex-grow-1"></span>
		<label class="small d-flex align-items-center gap-1">Rows <select class="form-select form-select-sm w-auto" aria-label="Rows on a page" value=${s.limit} onChange=${(e) => move({ limit: Number(e.target.value) })}>
			${[...new Set([...SIZES, s.limit])].map((n) => html`<option value=${n}>${n}</option>`)}</select></label>
		<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${!s.offset} onClick=${() => move({ offset: 0 })}>First</button>
		<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${!s.offset} onClick=${() => move({ offset: Math.max(0, s.offset - s.limit) })}>Previous</button>
		<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${!current.more} onClick=${() => move({ offset: s.offset + s.limit })}>Next</button>
	</nav>`
}

function Search({ t, value, onSearch }) {
	const [text, set] = useState(value)
	useEffect(() => set(value), [value])
	if (!search(t, 'x')) return null
	return html`<form class="d-flex gap-1" role="search" onSubmit=${(e) => { e.preventDefault(); onSearch(text.trim()) }}>
		<input class="form-control form-control-sm" type="search" aria-label=${`Search ${t.name}`} placeholder="Search" value=${text}
			onInput=${(e) => { set(e.target.value); if (!e.target.value && value) onSearch('') }} />
		<button class="btn btn-sm btn-outline-secondary">Search</button>
	</form>`
}

function Rows({ model, t, route, columns, rows, order, stale, onOrder, picked, pick, onClear, filtered }) {
	const many = t.key.length > 0 && (t.can.update || t.can.delete || actionsOf(model, t).some((r) => r.fits))
	const id = (row) => JSON.stringify(t.key.map((k) => row[k]))
	const sort = (c, add) => {
		const at = order.find((o) => o.column === c)
		const next = !at ? { column: c, desc: false } : at.desc ? null : { column: c, desc: true }
		onOrder(add ? (at ? order.map((o) => (o === at ? next : o)).filter(Boolean) : [...order, next]) : next ? [next] : [])
	}
	if (!rows.length)
		return html`<${Empty} title=${filtered ? 'No row matches' : 'No rows here'}>
			${filtered && html`<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${onClear}>Remove filters and search</button>`}
			${!filtered && t.can.insert && html`<a class="btn btn-sm btn-primary" href=${address({ ...route, action: 'new', pairs: [] })}>Add the first</a>`}<//>`
	const whole = picked.all || rows.every((r) => picked.rows.has(id(r)))
	const toggle = (row, on) => {
		const next = new Map(picked.rows)
		if (on) next.set(id(row), row)
		else next.delete(id(row))
		pick({ all: false, rows: next })
	}
	const toggleAll = (on) => {
		const next = new Map(on ? picked.rows : [])
		if (on) rows.forEach((r) => next.set(id(r), r))
		pick({ all: false, rows: next })
	}
	return html`<div class="table-responsive" tabindex="0" role="region" aria-label=${`Rows of ${t.name}`}>
		<table class=${`table table-sm table-hover rows ${stale ? 'stale' : ''}`} aria-busy=${stale}>
			<thead><tr>
				${many && html`<th scope="col"><input type="checkbox" class="form-check-input" aria-label="Select all rows of this page" checked=${whole} onChange=${(e) => toggleAll(e.target.checked)} /></th>`}
				<th scope="col"><span class="visually-hidden">Open</span></th>
				${columns.map((name) => {
					const at = order.findIndex((o) => o.column === name)
					const c = t.byName[name]
					return html`<th scope="col" class=${rightAligned(c) ? 'text-end' : ''} aria-sort=${at < 0 ? 'none' : order[at].desc ? 'descending' : 'ascending'}>
						<button type="button" class="sort" title=${`${c.comment || name} (${c.dbType}). Sort; with Shift after the others.`} onClick=${(e) => sort(name, e.shiftKey)}>
							${name}${at >= 0 && html`<span aria-hidden="true">${order[at].desc ? ' ▼' : ' ▲'}${order.length > 1 && html`<sup>${at + 1}</sup>`}</span>`}</button></th>`
				})}
			</tr></thead>
			<tbody>${rows.map((row, n) => html`<tr key=${t.key.length ? id(row) : n}>
				${many && html`<td><input type="checkbox" class="form-check-input" aria-label=${`Select ${t.key.map((k) => row[k]).join(' ')}`} checked=${picked.all || picked.rows.has(id(row))} onChange=${(e) => toggle(row, e.target.checked)} /></td>`}
				<td>${t.key.length ? html`<a href=${address({ ...route, action: 'row', pairs: keyPairs(t, row) })} aria-label=${`Open ${t.key.map((k) => row[k]).join(' ')}`}>Open</a>` : html`<${Look} t=${t} row=${row} />`}</td>
				${columns.map((name, i) => {
					const c = t.byName[name]
					const target = pickable(model, c)
					const label = target?.label && row[`rg_${i}`]?.[target.label]
					const value = html`<${Cell} column=${c} value=${row[name]} />`
					return html`<td class=${rightAligned(c) ? 'text-end' : ''}>${target && row[name] !== null
						? html`<a href=${address({ schema: target.schema, table: target.name, action: 'row', pairs: [[columnName(c.fk.target_columns[0]), `eq.${row[name]}`]] })}>${label || shown(row[name])}</a>${label && html` <small class="text-body-secondary">${shown(row[name])}</small>`}`
						: value}</td>`
				})}
			</tr>`)}</tbody>
		</table>
	</div>`
}

// A row of a table without a key can be looked at, not found again.
function Look({ t, row }) {
	const [open, set] = useState(false)
	return html`<button type="button" class="btn btn-link btn-sm p-0" onClick=${() => set(true)}>Show</button>
		${open && html`<${Dialog} title=${`A row of ${t.name}`} wide onClose=${() => set(false)}>
			<p class="small text-body-secondary">${t.view ? 'A view' : 'This table'} has no key, so single rows cannot be changed here.</p>
			<dl class="row m-0">${t.columns.filter((c) => row[c.name] !== undefined).map((c) => html`<dt class="col-sm-4 text-break">${c.name}</dt><dd class="col-sm-8 text-break"><${Cell} column=${c} value=${row[c.name]} /></dd>`)}</dl><//>`}`
}

function Columns({ t, columns, onClose, onChoose }) {
	const [list, set] = useState(columns)
	return html`<${Dialog} title="Columns" onClose=${onClose}>
		<form onSubmit=${(e) => { e.preventDefault(); onChoose(list.length ? list : null) }}>
			<div class="choose-columns mb-3">${t.columns.filter((c) => c.readable).map((c) => html`<label class="form-check">
				<input type="checkbox" class="form-check-input" checked=${list.includes(c.name)} onChange=${(e) => set(e.target.checked ? [...list, c.name] : list.filter((n) => n !== c.name))} />
				<span class="form-check-label text-break">${c.name} <small class="text-body-secondary">${c.dbType}</small></span></label>`)}</div>
			<div class="d-flex gap-2 justify-content-end"><button type="button" class="btn btn-outline-secondary" onClick=${() => onChoose(null)}>As at first</button>
				<button class="btn btn-primary">Show</button></div>
		</form><//>`
}

// All rows that match, straight from the API.
function Export({ model, t, s, columns }) {
	const [state, set] = useState(null)
	const stop = useRef()
	const run = async (accept, ending) => {
		stop.current = new AbortController()
		set(0)
		try {
			const pairs = [['select', columns.map(columnName).join(',')], ...query(model, t, s, columns).filter(([k]) => k !== 'select')]
			const n = await download(tablePath(t.name, pairs), `${t.name}.${ending}`, { schema: t.schema, accept, progress: set, signal: stop.current.signal })
			toast(`${t.name}.${ending}: ${bytes(n)}`)
		} catch (error) {
			if (error.name !== 'AbortError') toast(`The export broke off. ${error.message}`, 'danger')
		}
		set(null)
	}
	if (state !== null)
		return html`<span class="small" role="status">Exporting, ${bytes(state)} <button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => stop.current.abort()}>Stop</button></span>`
	return html`<${Menu} name="Export" items=${[
		['CSV', () => run('text/csv', 'csv')],
		['JSON', () => run('application/json', 'json')],
		['JSON, one row a line', () => run('application/x-ndjson', 'ndjson')],
	]} />`
}

function Copy({ model, t, s, columns, rows }) {
	const copy = async (what, text) => {
		try {
			await navigator.clipboard.writeText(text)
			toast(`${what} copied`)
		} catch {
			toast('The browser does not let this page copy.', 'warning')
		}
	}
	const url = () => location.origin + tablePath(t.name, [...query(model, t, s, columns), ['limit', s.limit], ...(s.offset ? [['offset', s.offset]] : [])])
	const word = (text) => `'${text.replace(/'/g, `'\\''`)}'`
	const plain = () => (rows || []).map((r) => Object.fromEntries(columns.map((c) => [c, r[c]])))
	const csv = async () => {
		const { default: Papa } = await import('papaparse')
		return Papa.unparse({ fields: columns, data: plain().map((r) => columns.map((c) => shown(r[c]))) })
	}
	return html`<${Menu} name="Copy" items=${[
		['Link to this page', () => copy('Link', location.href)],
		['URL of the API', () => copy('URL', url())],
		['curl', () => copy('curl', `curl -g -H "Authorization: Bearer $TOKEN" -H ${word('Accept-Profile: ' + t.schema)} ${word(url())}`)],
		['These rows as CSV', async () => copy('CSV', await csv())],
		['These rows as JSON', () => copy('JSON', JSON.stringify(plain(), null, '\t'))],
	]} />`
}
