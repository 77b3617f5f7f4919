// Counts by value beside the list, each asked for when it is opened and given up after a while; dates by year, month, day.
import { html, useState } from '../shared/html.js'
import { rows } from '../shared/api.js'
import { Loading, useLoad } from '../shared/layout.js'
import { columnName } from './filter.js'
import { pickable } from './model.js'
import { counted, shown } from './value.js'

const AT_MOST = 12
const PATIENCE = 5000
const dated = (c) => ['date', 'datetime', 'zoned'].includes(c.kind)
const worth = (c) => c.readable && !c.big && c.kind !== 'binary' && c.kind !== 'json'

// What may have few values stands first.
const rank = (c) => (['enum', 'boolean', 'set'].includes(c.kind) ? 0 : c.fk ? 1 : dated(c) ? 2 : c.kind === 'text' ? 3 : 4)

export function Facets({ model, t, filters, wheres, onFilters }) {
	const [open, setOpen] = useState(false)
	const columns = t.columns.filter((c) => worth(c) && !(t.key.length === 1 && t.key[0] === c.name)).sort((a, b) => rank(a) - rank(b))
	return html`<details class="facets" open=${open} onToggle=${(e) => e.target === e.currentTarget && setOpen(e.target.open)}>
		<summary>Counts</summary>
		${open && columns.map((c) => html`<${Facet} key=${t.schema + t.name + c.name} model=${model} t=${t} c=${c} filters=${filters} wheres=${wheres} onFilters=${onFilters} />`)}
	</details>`
}

function Facet({ c, ...props }) {
	const [open, set] = useState(false)
	return html`<details class="facet" open=${open} onToggle=${(e) => { e.stopPropagation(); set(e.target.open) }}>
		<summary>${c.name}</summary>
		${open && (dated(c) ? html`<${Dates} c=${c} ...${props} />` : html`<${Values} c=${c} ...${props} />`)}
	</details>`
}

// Counts of a grouping, without the filters on the column itself.
function useCounts(t, c, wheres, pairs) {
	const others = wheres.filter(([k]) => k !== columnName(c.name))
	const name = columnName(c.name)
	return useLoad(async (signal) => {
		const late = new AbortController()
		signal.addEventListener('abort', () => late.abort())
		const timer = setTimeout(() => late.abort(), PATIENCE)
		try {
			return (await rows(t.name, [...pairs, ...others], { schema: t.schema, signal: late.signal })).rows
		} catch (error) {
			if (error.name === 'AbortError') throw new Error('This takes too long to count. Filter first.')
			throw error
		} finally {
			clearTimeout(timer)
		}
	}, [JSON.stringify([t.schema, t.name, name, pairs, others])])
}

// What the keys of a foreign key are called: { key: label }.
export async function labelsOf(model, c, values, signal) {
	const target = pickable(model, c)
	const keys = values.filter((v) => v !== null)
	if (!target?.label || !keys.length) return {}
	const k = c.fk.target_columns[0]
	const found = await rows(target.name, [['select', `${columnName(k)},${columnName(target.label)}`], [columnName(k), `in.(${keys.map((v) => JSON.stringify(String(v))).join(',')})`]], { schema: target.schema, signal })
	return Object.fromEntries(found.rows.map((r) => [r[k], r[target.label]]))
}

function Values({ model, t, c, filters, wheres, onFilters }) {
	const name = columnName(c.name)
	const load = useCounts(t, c, wheres, [['select', `${name},count()`], ['order', 'count.desc'], ['limit', AT_MOST + 1]])
	const labels = useLoad((signal) => labelsOf(model, c, (load.data || []).map((r) => r[c.name]), signal), [JSON.stringify(load.data)])
	if (load.error) return html`<p class="small text-body-secondary m-0">${load.error.message}</p>`
	if (!load.data) return html`<${Loading} what="Counting" />`
	const toggle = (pair) => onFilters(filters.some(([k, v]) => k === pair[0] && v === pair[1]) ? filters.filter(([k, v]) => k !== pair[0] || v !== pair[1]) : [...filters.filter(([k]) => k !== name), pair])
	return html`<ul>${load.data.slice(0, AT_MOST).map((r) => {
		const pair = [name, r[c.name] === null ? 'is.null' : `eq.${shown(r[c.name])}`]
		const on = filters.some(([k, v]) => k === pair[0] && v === pair[1])
		return html`<li><button type="button" aria-pressed=${on} onClick=${() => toggle(pair)}><span>${r[c.name] === null ? html`<i>null</i>` : r[c.name] === '' ? html`<i>empty</i>` : labels.data?.[r[c.name]] || shown(r[c.name]).slice(0, 40)}</span> <span class="n">${counted(r.count)}</span></button></li>`
	})}${load.data.length > AT_MOST && html`<li class="small text-body-secondary">and more</li>`}</ul>`
}

const pad = (n) => String(n).padStart(2, '0')
// The first day of what follows a year, a month or a day.
const after = ([y, m, d]) => new Date(Date.UTC(y, m ? (d ? m - 1 : m) : 12, d ? d + 1 : 1)).toISOString().slice(0, 10)
const first = ([y, m, d]) => `${String(y).padStart(4, '0')}-${pad(m || 1)}-${pad(d || 1)}`

function Dates({ t, c, filters, wheres, onFilters }) {
	const name = columnName(c.name)
	const from = filters.find(([k, v]) => k === name && v.startsWith('gte.'))?.[1].slice(4, 14)
	const to = filters.find(([k, v]) => k === name && v.startsWith('lt.'))?.[1].slice(3, 13)
	// Where in year > month > day the filters stand.
	const parts = from ? from.split('-').map(Number) : []
	const at = from && to ? [1, 2, 3].map((n) => parts.slice(0, n)).find((p) => first(p) === from && after(p) === to) || [] : []
	const part = ['year', 'month', 'day', 'day'][at.length]
	const range = (p) => (p.length ? [[name, `gte.${first(p)}`], [name, `lt.${after(p)}`]] : [])
	const set = (p) => onFilters([...filters.filter(([k]) => k !== name), ...range(p)])
	const within = [...wheres.filter(([k]) => k !== name), ...range(at.slice(0, 2))]
	const load = useCounts(t, { ...c, name: '\0' }, within, [['select', `part:${name}.${part}(),count()`], ['limit', 200]])
	const list = (load.data || []).filter((r) => r.part !== null).sort((a, b) => a.part - b.part)
	return html`<div>
		${at.length > 0 && html`<div class="small"><button type="button" class="btn btn-link btn-sm p-0" onClick=${() => set([])}>all</button>${at.map((p, i) => html` › <button type="button" class="btn btn-link btn-sm p-0" onClick=${() => set(at.slice(0, i + 1))}>${p}</button>`)}</div>`}
		${load.error && html`<p class="small text-body-secondary m-0">${load.error.message}</p>`}
		${!load.data && !load.error && html`<${Loading} what="Counting" />`}
		<ul>${list.map((r) => html`<li><button type="button" aria-pressed=${at.length === 3 && at[2] === r.part} onClick=${() => set([...at.slice(0, 2), r.part])}><span>${part === 'month' ? `${at[0]}-${pad(r.part)}` : part === 'day' ? `${at[0]}-${pad(at[1])}-${pad(r.part)}` : r.part}</span> <span class="n">${counted(r.count)}</span></button></li>`)}</ul>
	</div>`
}
