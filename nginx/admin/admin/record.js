// One row: to look at, change, delete or make; and beneath it the rows of other tables that point at it.
import { html, useEffect, useMemo, useState } from '../shared/html.js'
import { ApiError, countRows, json, rows, tablePath } from '../shared/api.js'
import { confirm, Dialog, Empty, Loading, Problem, toast, useLoad } from '../shared/layout.js'
import { Field, Invalid, toText } from './fields.js'
import { columnName, keyPairs, oneColumn } from './filter.js'
import { children, firstColumns } from './model.js'
import { address, go } from './route.js'
import { Cell, counted, rightAligned, shown } from './value.js'

// Leaving a page with something typed asks first.
let unsaved = 0
export const isUnsaved = () => unsaved > 0
addEventListener('beforeunload', (e) => unsaved && e.preventDefault())
document.addEventListener('click', async (e) => {
	const link = e.target.closest?.('a[href^="#"]:not(.skip)')
	if (!unsaved || !link || e.defaultPrevented || e.ctrlKey || e.metaKey) return
	e.preventDefault()
	if (await confirm({ title: 'Leave without saving?', text: 'What you changed here is not saved.', action: 'Leave', danger: true })) location.hash = link.getAttribute('href')
}, true)
function useUnsaved(dirty) {
	useEffect(() => {
		if (!dirty) return
		unsaved++
		return () => { unsaved-- }
	}, [dirty])
}

// Which fields an error is about: { column: message }.
export function errorsByField(error, t) {
	const found = {}
	for (const line of String(error.details || '').split('\n')) {
		const [, name, text] = /^Row \d+, column "(.+?)"(?:, value .*?)?: (.*)$/.exec(line) || []
		if (t.byName[name]) found[name] = text
	}
	const text = `${error.message} ${error.details || ''}`
	const [, key] = /Key \(([^)]*)\)/.exec(text) || []
	for (const name of key?.split(',') || []) if (t.byName[name.trim()]) found[name.trim()] = found[name.trim()] || error.message
	for (const [, name] of text.matchAll(/column "([^"]+)"/g)) if (t.byName[name]) found[name] = found[name] || error.message
	for (const c of t.columns) if (c.fk && text.includes(`"${c.fk.constraint}"`)) found[c.name] = found[c.name] || error.message
	for (const k of t.uniqueKeys) if (text.includes(`"${k.name}"`)) for (const name of k.columns) found[name] = found[name] || error.message
	return found
}

const same = (c, a, b) => a === b || toText(c, a) === toText(c, b) && (a === null) === (b === null) && (a === undefined) === (b === undefined)
// Old values that a save can ask for, so that it does not undo what somebody else has done meanwhile.
const guarded = (c, v) => !(c.kind === 'number' || c.kind === 'json' || c.kind === 'binary' || c.kind === 'set') && shown(v).length < 200

export function Form({ model, t, row, presets = {}, onSaved, onDelete, onCancel, prefix = 'f' }) {
	const isNew = !row
	const [values, setValues] = useState(row || presets)
	const [error, setError] = useState(null)
	const [busy, setBusy] = useState(false)
	const [conflict, setConflict] = useState(null)
	useEffect(() => {
		if (row) setValues(row)
	}, [row])
	const columns = t.columns.filter((c) => (isNew ? c.insertable : c.readable || c.updatable))
	const editable = (c) => (isNew ? t.can.insert && c.insertable : t.can.update && c.updatable && t.key.length > 0)
	const changed = columns.filter((c) => editable(c) && !same(c, values[c.name], row ? row[c.name] : presets[c.name]))
	useUnsaved(changed.length > 0)
	const byField = useMemo(() => (error ? errorsByField(error, t) : {}), [error])
	useEffect(() => {
		const first = columns.find((c) => byField[c.name])
		if (first) document.getElementById(`${prefix}-${columns.indexOf(first)}`)?.focus()
	}, [byField])

	const write = async (guard) => {
		const sent = isNew ? columns.filter((c) => editable(c) && values[c.name] !== undefined) : changed
		const wrong = sent.find((c) => values[c.name] instanceof Invalid)
		if (wrong) throw new ApiError(400, { code: 'json', message: `column "${wrong.name}" is no JSON`, details: values[wrong.name].message })
		const body = Object.fromEntries(sent.map((c) => [c.name, blank(c, values[c.name]) ? null : values[c.name]]))
		const back = t.can.select ? 'return=representation' : 'return=minimal'
		if (isNew) return json(tablePath(t.name, shownPairs(t)), { method: 'POST', schema: t.schema, body, headers: { Prefer: back } })
		const guards = guard ? changed.filter((c) => c.readable && guarded(c, row[c.name]) && !t.key.includes(c.name)).map((c) => [columnName(c.name), row[c.name] === null ? 'is.null' : `eq.${shown(row[c.name])}`]) : []
		return json(tablePath(t.name, [...keyPairs(t, row), ...guards, ...shownPairs(t)]), { method: 'PATCH', schema: t.schema, body, headers: { Prefer: `${back}, handling=strict, max-affected=1` } })
	}
	const save = async (guard) => {
		setBusy(true)
		setError(null)
		setConflict(null)
		try {
			const made = await write(guard)
			if (!isNew && t.can.select && !made.length) {
				const now = (await rows(t.name, [...keyPairs(t, row), ...shownPairs(t)], { schema: t.schema })).rows[0]
				if (now && guard) setConflict(now)
				else throw new ApiError(404, { code: 'gone', message: now ? 'The row was not changed' : 'This row is not there any more, or you may not see it', hint: now ? 'A policy may forbid this change.' : 'It was deleted, or a policy hides it from you now. What you typed is still here.' })
			} else {
				toast(isNew ? `Row added to ${t.name}` : 'Saved')
				onSaved(made?.[0], values)
			}
		} catch (e) {
			setError(e)
		}
		setBusy(false)
	}
	const set = (name) => (value) => setValues((v) => ({ ...v, [name]: value }))
	return html`<form class="record" novalidate onSubmit=${(e) => { e.preventDefault(); if (!busy) save(true) }}>
		${error && html`<${Problem} error=${error} />`}
		${conflict && html`<div class="alert alert-warning" role="alert"><p class="mb-1"><b>Somebody else has changed this row meanwhile.</b></p>
			<ul class="mb-2">${changed.filter((c) => !same(c, conflict[c.name], row[c.name])).map((c) => html`<li>${c.name}: it was <b>${shown(row[c.name]) || 'empty'}</b>, is now <b>${shown(conflict[c.name]) || 'empty'}</b>, and you typed <b>${shown(values[c.name]) || 'empty'}</b></li>`)}</ul>
			<button type="button" class="btn btn-sm btn-warning" onClick=${() => save(false)}>Save mine anyway</button></div>`}
		<div class="fields">${columns.map((c, i) => html`<${Field} key=${c.name} id=${`${prefix}-${i}`} model=${model} c=${c} value=${values[c.name]} isNew=${isNew} error=${byField[c.name]}
			disabled=${!editable(c)} onChange=${set(c.name)} />`)}</div>
		<div class="actions">
			${(isNew ? t.can.insert : t.can.update && t.key.length > 0) && html`<button class="btn btn-primary" disabled=${busy || (!isNew && !changed.length)}>${busy ? 'Saving…' : isNew ? 'Add' : 'Save'}</button>`}
			${!isNew && changed.length > 0 && html`<button type="button" class="btn btn-outline-secondary" onClick=${() => setValues(row)}>Undo changes</button>`}
			${onCancel && html`<button type="button" class="btn btn-outline-secondary" onClick=${onCancel}>Cancel</button>`}
			<span class="flex-grow-1"></span>
			${!isNew && t.can.delete && onDelete && html`<button type="button" class="btn btn-outline-danger" onClick=${onDelete}>Delete</button>`}
		</div>
	</form>`
}
const blank = (c, v) => v === '' && c.nullable && !['text', 'enum', 'set', 'binary'].includes(c.kind)
const shownPairs = (t) => {
	const columns = t.columns.filter((c) => c.readable)
	return columns.length === t.columns.length || !columns.length ? [] : [['select', columns.map((c) => columnName(c.name)).join(',')]]
}

async function removeRow(t, row, then) {
	const name = t.key.map((k) => row[k]).join(' ')
	if (!(await confirm({ title: `Delete ${name}?`, text: `This deletes the row ${name} of ${t.name} for good.`, action: 'Delete', danger: true }))) return
	try {
		const gone = await json(tablePath(t.name, [...keyPairs(t, row), ['select', t.key.map(columnName).join(',')]]), { method: 'DELETE', schema: t.schema, headers: { Prefer: 'return=representation, handling=strict, max-affected=1' } })
		toast(gone.length ? 'Row deleted' : 'This row was not there any more', gone.length ? 'success' : 'warning')
		then()
	} catch (error) {
		toast(`Not deleted. ${error.message} ${error.details || ''}`, 'danger')
	}
}

export function NewRecord({ model, t, route }) {
	const presets = Object.fromEntries(route.pairs.filter(([k]) => t.byName[k]))
	const list = { schema: t.schema, table: t.name }
	return html`<div><${Trail} t=${t} what="New row" />
		<${Form} model=${model} t=${t} presets=${presets} onCancel=${() => go(list)} onSaved=${(row) => go(row && t.key.length ? { ...list, action: 'row', pairs: keyPairs(t, row) } : list)} /></div>`
}

const Trail = ({ t, what }) => html`<nav aria-label="Trail" class="mb-2"><ol class="breadcrumb m-0"><li class="breadcrumb-item"><a href=${address({ schema: t.schema, table: t.name })}>${t.name}</a></li></ol></nav>
	<h1 class="h4 text-break">${what}</h1>`

export function Record({ model, t, route }) {
	const load = useLoad(async (signal) => (await rows(t.name, [...route.pairs, ...shownPairs(t), ['limit', 2]], { schema: t.schema, signal })).rows, [JSON.stringify([t.schema, t.name, route.pairs])])
	const [saved, setSaved] = useState(null)
	useEffect(() => setSaved(null), [load.data])
	if (load.error) return html`<${Trail} t=${t} what="Row" /><${Problem} error=${load.error} retry=${load.again} />`
	if (!load.data || (load.loading && !saved)) return html`<${Loading} what="Reading the row" />`
	if (load.data.length !== 1)
		return html`<${Trail} t=${t} what="Row" /><${Empty} title=${load.data.length ? 'More than one row' : 'No such row'}><p>It may have been deleted, or you may not see it.</p>
			<a href=${address({ schema: t.schema, table: t.name })}>All rows of ${t.name}</a><//>`
	const row = saved || load.data[0]
	const title = (t.label && shown(row[t.label])) || t.key.map((k) => row[k]).join(' ') || t.name
	return html`<div><${Trail} t=${t} what=${title} />
		<${Form} model=${model} t=${t} row=${row} onDelete=${() => removeRow(t, row, () => go({ schema: t.schema, table: t.name }))}
			onSaved=${(now) => {
				if (!now) return load.again()
				setSaved(now)
				if (t.key.some((k) => now[k] !== row[k])) go({ ...route, pairs: keyPairs(t, now) })
			}} />
		${children(t).map((r) => html`<${Children} key=${r.constraint + r.table} model=${model} r=${r} row=${row} />`)}
	</div>`
}

const AT_ONCE = 10
// The rows of one table that point at a row.
function Children({ model, r, row }) {
	const t = model.byName[r.table]
	const [dialog, set] = useState(null)
	const link = t && r.target_columns.map((c, i) => [columnName(c), row[r.columns[i]]])
	const usable = t && t.can.select && link.every(([, v]) => v !== null && v !== undefined)
	const columns = t ? firstColumns(t).filter((c) => !r.target_columns.includes(c)).slice(0, 6) : []
	const load = useLoad(async (signal) => {
		if (!usable) return null
		const order = t.primaryKey.length ? [['order', t.primaryKey.map((k) => `${columnName(k)}.desc`).join(',')]] : []
		return (await rows(t.name, [['select', [...new Set([...t.key, ...columns])].map(columnName).join(',')], ...link.map(([c, v]) => [c, `eq.${v}`]), ...order, ['limit', AT_ONCE + 1]], { schema: t.schema, signal })).rows
	}, [JSON.stringify([r, link])])
	const data = load.data || []
	const many = data.length > AT_ONCE
	const count = useLoad(async (signal) => (many ? countRows(t.name, oneColumn(t, link.map(([c, v]) => [c, `eq.${v}`])), { schema: t.schema, count: 'estimated', signal }).catch(() => null) : null), [many, load.data])
	if (!usable) return null
	const all = address({ schema: t.schema, table: t.name, pairs: link.map(([c, v]) => [c, `eq.${v}`]) })
	const close = () => set(null)
	const open = async (child) => {
		try {
			set({ row: (await rows(t.name, [...keyPairs(t, child), ...shownPairs(t)], { schema: t.schema })).rows[0] })
		} catch (error) {
			toast(error.message, 'danger')
		}
	}
	const single = r.cardinality === 'one-to-one'
	return html`<section class="mt-4" aria-label=${t.name}>
		<div class="d-flex gap-2 align-items-center mb-1"><h2 class="h6 m-0">${t.name} ${load.data && html`<small class="text-body-secondary fw-normal">${many ? (count.data ? counted(count.data) : '') : data.length || ''}</small>`}</h2>
			${t.can.insert && !(single && data.length) && html`<button type="button" class="btn btn-sm btn-outline-primary" onClick=${() => set({ add: true })}>Add</button>`}
			<a class="small" href=${all}>${data.length > AT_ONCE ? 'All of them' : 'As a list'}</a></div>
		${load.error && html`<${Problem} error=${load.error} retry=${load.again} />`}
		${!load.error && !load.data && html`<${Loading} />`}
		${load.data && !data.length && html`<p class="text-body-secondary small m-0">None.</p>`}
		${data.length > 0 && html`<div class="table-responsive" tabindex="0" role="region" aria-label=${`Rows of ${t.name}`}><table class="table table-sm rows">
			<thead><tr><th scope="col"><span class="visually-hidden">Open</span></th>${columns.map((c) => html`<th scope="col" class=${rightAligned(t.byName[c]) ? 'text-end' : ''}>${c}</th>`)}</tr></thead>
			<tbody>${data.slice(0, AT_ONCE).map((child) => html`<tr><td>${t.key.length > 0 && html`<button type="button" class="btn btn-link btn-sm p-0" aria-label=${`Edit ${t.key.map((k) => child[k]).join(' ')}`} onClick=${() => open(child)}>${t.can.update ? 'Edit' : 'Show'}</button>`}</td>
				${columns.map((c) => html`<td class=${rightAligned(t.byName[c]) ? 'text-end' : ''}><${Cell} column=${t.byName[c]} value=${child[c]} /></td>`)}</tr>`)}</tbody></table></div>`}
		${dialog && html`<${Dialog} title=${dialog.add ? `New row of ${t.name}` : `A row of ${t.name}`} wide onClose=${async () => { if (!isUnsaved() || (await confirm({ title: 'Leave without saving?', text: 'What you changed here is not saved.', action: 'Leave', danger: true }))) close() }}>
			<${Form} model=${model} t=${t} prefix="c" row=${dialog.row} presets=${dialog.add ? Object.fromEntries(r.target_columns.map((c, i) => [c, shown(row[r.columns[i]])])) : {}}
				onDelete=${dialog.row && (() => removeRow(t, dialog.row, () => { close(); load.again() }))} onSaved=${() => { close(); load.again() }} /><//>`}
	</section>`
}
