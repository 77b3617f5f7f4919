// Controls and tables that several pages have.
import { html, useEffect, useRef, useState } from '../shared/html.js'
import { Problem, SignInPage, toast, useLoad } from '../shared/layout.js'
import { currentUser } from '../shared/session.js'
import { facet } from './data.js'
import { named, number } from './format.js'

// What stands where data cannot be shown, and what can be done about it.
export function Failure({ error, again, what }) {
	if (!currentUser() && (error.status === 401 || error.status === 403)) return html`<${SignInPage} why=${`${what} are not for everybody: sign in to see them.`} />`
	if (error.status === 403)
		return html`<div class="empty"><p class="h6">Your role may not read this</p>
			<p>${what} are closed to the role ${currentUser()?.role}. Ask whoever runs this instance to grant it.</p>
			<p class="small text-body-secondary mb-0">${error.message}</p></div>`
	if (error.code === 'PGRST205' || error.code === 'PGRST106')
		return html`<div class="empty"><p class="h6">${what} are not here</p>
			<p>This instance does not publish the sample database they stand in.</p>
			<p class="small text-body-secondary mb-0">${error.message}</p></div>`
	// An address that somebody has changed, or a page beyond the last.
	if (error.status === 400 || error.status === 416)
		return html`<div class="empty" role="alert"><p class="h6">These filters cannot be answered</p><p>${error.message}</p>
			<a class="btn btn-sm btn-primary" href=${location.hash.split('?')[0]}>Begin without filters</a></div>`
	return html`<${Problem} error=${error} retry=${again} />`
}

export const Select = ({ label, value, options, onChange }) => html`<label class="control">${label}
	<select class="form-select form-select-sm" value=${value} onChange=${(e) => onChange(e.target.value)}>
		${options.map(([word, name]) => html`<option value=${word} selected=${word === value}>${name}</option>`)}
	</select></label>`

export const DateInput = ({ label, value, onChange }) => html`<label class="control">${label}
	<input class="form-control form-control-sm" type="date" value=${value || ''} onChange=${(e) => onChange(e.target.value || null)} /></label>`

// Several of the values that a column has: a button that opens a list of boxes to tick.
export function Choice({ label, source, chosen, onChange }) {
	const [open, setOpen] = useState(false)
	const [word, setWord] = useState('')
	const place = useRef()
	const button = useRef()
	useEffect(() => {
		if (!open) return
		const away = (e) => place.current.contains(e.target) || setOpen(false)
		addEventListener('pointerdown', away)
		addEventListener('focusin', away)
		return () => {
			removeEventListener('pointerdown', away)
			removeEventListener('focusin', away)
		}
	}, [open])
	const escape = (e) => {
		if (e.key !== 'Escape' || !open) return
		e.stopPropagation()
		setOpen(false)
		button.current.focus()
	}
	return html`<div class="control choice" ref=${place} onKeyDown=${escape}>
		<span aria-hidden="true">${label}</span>
		<button type="button" ref=${button} class="form-select form-select-sm text-start text-truncate" aria-expanded=${open}
			aria-label=${`${label}: ${chosen.length ? chosen.map(named).join(', ') : 'all'}`} onClick=${() => setOpen(!open)}>
			${chosen.length === 0 ? 'all' : chosen.length === 1 ? named(chosen[0]) : `${chosen.length} chosen`}</button>
		${open && html`<div class="choice-list shadow" role="group" aria-label=${label}>
			<${ChoiceList} ...${{ label, source, chosen, onChange, word, setWord }} /></div>`}
	</div>`
}

function ChoiceList({ label, source, chosen, onChange, word, setWord }) {
	const { data, error } = useLoad((signal) => facet({ ...source, signal }), [source.table, source.column])
	if (error) return html`<p class="p-2 m-0" role="alert">${error.message}</p>`
	if (!data) return html`<p class="p-2 m-0" role="status">Loading…</p>`
	const values = data.map(({ value, n }) => ({ value: value === null ? '' : String(value), n }))
	const turn = (value) => onChange(chosen.includes(value) ? chosen.filter((v) => v !== value) : [...chosen, value])
	const shown = values.filter(({ value }) => named(value).toLowerCase().includes(word.toLowerCase()))
	return html`${values.length > 10 && html`<input class="form-control form-control-sm mb-1" type="search" aria-label=${`Find in ${label}`}
			placeholder="Find" value=${word} onInput=${(e) => setWord(e.target.value)} />`}
		<div class="choice-scroll">${shown.map(({ value, n }) => html`<label class="choice-item" key=${value}>
			<input class="form-check-input" type="checkbox" checked=${chosen.includes(value)} onChange=${() => turn(value)} />
			<span class="flex-grow-1">${named(value)}</span><small class="text-body-secondary">${number(n)}</small></label>`)}
			${!shown.length && html`<p class="m-0 p-1 text-body-secondary">Nothing has this name.</p>`}</div>
		${chosen.length > 0 && html`<button type="button" class="btn btn-sm btn-link" onClick=${() => onChange([])}>All of them</button>`}`
}

// columns: [{ name, label, value(row), show(row), left }], the first of which names the row. sort: name or -name.
export function Table({ caption, columns, list, sort, onSort, total, wraps }) {
	const by = columns.find((c) => c.name === (sort || '').replace(/^-/, ''))
	const heading = (c) => html`<th scope="col" class=${c.left ? '' : 'text-end'} aria-sort=${by === c ? (sort[0] === '-' ? 'descending' : 'ascending') : null}>
		${onSort
			? html`<button type="button" class="sort" onClick=${() => onSort(sort === c.name ? `-${c.name}` : c.name)}>${c.label}<span aria-hidden="true">${by === c ? (sort[0] === '-' ? ' ↓' : ' ↑') : ''}</span></button>`
			: c.label}</th>`
	const cells = (row) => columns.map((c, i) => (i === 0
		? html`<th scope="row">${(c.show || c.value)(row)}</th>`
		: html`<td class=${c.left ? '' : 'text-end'}>${(c.show || c.value)(row)}</td>`))
	return html`<div class="table-responsive" tabindex="0" role="region" aria-label=${caption}>
		<table class=${`table table-sm table-hover figures ${wraps ? 'wraps' : ''}`}><caption class="visually-hidden">${caption}</caption>
			<thead><tr>${columns.map(heading)}</tr></thead>
			<tbody>${list.map((row) => html`<tr>${cells(row)}</tr>`)}</tbody>
			${total && html`<tfoot><tr>${cells(total)}</tr></tfoot>`}
		</table></div>`
}

const compare = (a, b) => {
	if (a === b) return 0
	if (a === null || a === undefined) return 1
	if (b === null || b === undefined) return -1
	return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true })
}

// The list in the order of a column; as it came when sort names none.
export function sorted(list, columns, sort) {
	const column = columns.find((c) => c.name === (sort || '').replace(/^-/, ''))
	if (!column) return list
	const way = sort[0] === '-' ? -1 : 1
	return [...list].sort((a, b) => way * compare(column.value(a), column.value(b)))
}

// A button whose work may take a while or fail.
export function Work({ children, work, ...more }) {
	const [busy, setBusy] = useState(false)
	const run = async () => {
		setBusy(true)
		try {
			await work()
		} catch (error) {
			toast([error.message, error.hint].filter(Boolean).join(' '), 'danger')
		}
		setBusy(false)
	}
	return html`<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${busy} onClick=${run} ...${more}>${children}</button>`
}
