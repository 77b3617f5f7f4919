// One input for each kind of column. A value is null, undefined (not set: the database's default, or as it is), or what the
// API takes; numbers stay text, so that none loses digits.
import { html, useEffect, useRef, useState } from '../shared/html.js'
import { exactJson, quoted, rows, saveAs } from '../shared/api.js'
import { utcTime } from '../shared/layout.js'
import { columnName, search } from './filter.js'
import { pickable } from './model.js'
import { bytes, fromHex, shown, toHex } from './value.js'

const LONG = 200000

// What a column's value looks like while it is edited, and back.
export function toText(c, value) {
	if (value === null || value === undefined) return ''
	if (c.kind === 'json') return typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(value, null, 2)
	return shown(value)
}
export function fromText(c, text) {
	if (c.kind === 'json') return exactJson(text)
	if (c.kind === 'boolean') return text === 'true'
	return text
}

export function Field({ model, c, value, error, onChange, isNew, disabled, id }) {
	const unset = value === undefined
	const isNull = value === null
	const note = c.default !== undefined ? `default ${shown(c.default)}` : c.auto ? 'given by the database' : ''
	const hints = [c.comment, c.dbType, c.required && isNew ? 'required' : ''].filter(Boolean).join(' · ')
	const props = {
		id, c, value, disabled, onChange, model,
		attrs: { id, 'aria-describedby': `${id}-hint${error ? ` ${id}-error` : ''}`, 'aria-invalid': error ? 'true' : null, disabled, required: false },
		placeholder: isNull ? 'null' : unset ? note : '',
	}
	const Input = inputFor(model, c, value)
	return html`<div class=${`field ${error ? 'wrong' : ''}`}>
		<div class="d-flex align-items-baseline gap-2">
			<label for=${id} class=${`form-label m-0 text-break ${c.required && isNew ? 'needed' : ''}`}>${c.name}</label>
			${c.nullable && !disabled && html`<label class="small text-body-secondary ms-auto text-nowrap"><input type="checkbox" class="form-check-input" checked=${isNull}
				aria-label=${`${c.name} is null`} onChange=${(e) => onChange(e.target.checked ? null : isNew ? undefined : '')} /> null</label>`}
		</div>
		<${Input} ...${props} />
		<div class="form-text m-0" id=${`${id}-hint`}>${hints}</div>
		${error && html`<div class="text-danger-emphasis small" id=${`${id}-error`}>${error}</div>`}
	</div>`
}

function inputFor(model, c, value) {
	if (pickable(model, c)) return Picker
	if (c.kind === 'boolean') return Choice
	if (c.kind === 'enum') return Choice
	if (c.kind === 'set') return SetOf
	if (c.kind === 'binary') return Binary
	if (c.kind === 'json') return Json
	if (c.kind === 'date' && (!value || /^\d{4}-\d\d-\d\d$/.test(value)) && value !== '0000-00-00') return DateInput
	if (c.kind === 'datetime' && (!value || isDate(value))) return LocalInput
	if (c.kind === 'zoned' && (!value || isDate(value))) return ZonedInput
	if (c.kind === 'text' && (c.big || c.maxLength > 255 || String(value ?? '').includes('\n'))) return Area
	return Line
}
const isDate = (v) => !isNaN(new Date(v)) && !String(v).startsWith('0000')
const numeric = (c) => c.kind === 'integer' || c.kind === 'number'

const Line = ({ c, value, attrs, onChange, placeholder }) =>
	html`<input ...${attrs} class="form-control" type="text" inputmode=${numeric(c) ? 'decimal' : null} autocomplete="off" maxlength=${c.kind === 'text' ? c.maxLength : null}
		value=${toText(c, value)} placeholder=${placeholder} onInput=${(e) => onChange(e.target.value)} />`

// What would make the browser slow is edited on request only.
function Area({ c, value, attrs, onChange, placeholder }) {
	const text = toText(c, value)
	const [anyway, set] = useState(false)
	if (text.length > LONG && !anyway)
		return html`<div class="border rounded p-2"><pre class="long m-0" tabindex="0">${text.slice(0, 2000)}…</pre>
			<div class="d-flex gap-2 mt-2 align-items-center"><span class="small">${bytes(text.length)}, of which this is the beginning</span>
				<button type="button" ...${attrs} class="btn btn-sm btn-outline-secondary" onClick=${() => set(true)}>Edit all of it</button>
				<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => saveAs(new Blob([text]), `${c.name}.txt`)}>Save as file</button></div></div>`
	return html`<textarea ...${attrs} class="form-control" rows=${text.length > 200 || c.big ? 6 : 2} value=${text} placeholder=${placeholder} onInput=${(e) => onChange(e.target.value)}></textarea>`
}

const Choice = ({ c, value, attrs, onChange, placeholder }) => {
	const options = c.kind === 'boolean' ? ['true', 'false'] : c.enum.map(String)
	const now = value === null || value === undefined ? '' : String(value)
	return html`<select ...${attrs} class="form-select" value=${now} onChange=${(e) => onChange(e.target.value === '' && !options.includes('') ? undefined : fromText(c, e.target.value))}>
		${!options.includes('') && html`<option value="" disabled=${now !== ''}>${placeholder}</option>`}${options.map((o) => html`<option value=${o}>${o}</option>`)}</select>`
}

const SetOf = ({ id, c, value, disabled, onChange }) => {
	const held = value ? String(value).split(',') : []
	const toggle = (v, on) => onChange(c.set.filter((x) => (x === v ? on : held.includes(x))).join(','))
	return html`<div role="group" aria-label=${c.name} id=${id} class="d-flex flex-wrap gap-3">${c.set.map((v) => html`<label class="form-check"><input type="checkbox" class="form-check-input" disabled=${disabled}
		checked=${held.includes(v)} onChange=${(e) => toggle(v, e.target.checked)} /> ${v}</label>`)}</div>`
}

const DateInput = ({ value, attrs, onChange }) => html`<input ...${attrs} class="form-control" type="date" value=${value || ''} onInput=${(e) => onChange(e.target.value)} />`
const LocalInput = ({ value, attrs, onChange }) => html`<input ...${attrs} class="form-control" type="datetime-local" step="any" value=${(value || '').replace(' ', 'T')} onInput=${(e) => onChange(e.target.value)} />`

// The reader's time; what goes to the database has its offset.
function ZonedInput({ value, attrs, onChange }) {
	const pad = (n) => String(n).padStart(2, '0')
	const t = value ? new Date(value) : null
	const fraction = /\.\d+/.exec(value || '')?.[0] || ''
	const local = t ? `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())}T${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}${fraction}` : ''
	return html`<div><input ...${attrs} class="form-control" type="datetime-local" step="any" value=${local}
		onInput=${(e) => onChange(e.target.value ? new Date(e.target.value).toISOString() : '')} />
		${t && html`<div class="form-text m-0">${utcTime(value)}</div>`}</div>`
}

function Json({ c, value, attrs, onChange, placeholder }) {
	const [text, set] = useState(toText(c, value))
	const [wrong, setWrong] = useState(null)
	const [anyway, setAnyway] = useState(false)
	const own = useRef(value)
	useEffect(() => {
		if (own.current !== value) {
			own.current = value
			set(toText(c, value))
		}
	}, [value])
	const type = (now) => {
		set(now)
		try {
			const next = now.trim() === '' ? undefined : exactJson(now)
			setWrong(null)
			own.current = next
			onChange(next)
		} catch (error) {
			setWrong(error.message)
			own.current = new Invalid(error.message)
			onChange(own.current)
		}
	}
	if (text.length > LONG && !anyway)
		return html`<div class="border rounded p-2"><pre class="long m-0" tabindex="0">${text.slice(0, 2000)}…</pre>
			<button type="button" ...${attrs} class="btn btn-sm btn-outline-secondary mt-2" onClick=${() => setAnyway(true)}>Edit all ${bytes(text.length)}</button></div>`
	return html`<div><textarea ...${attrs} class="form-control font-monospace" rows=${Math.min(16, Math.max(3, text.split('\n').length))} spellcheck="false" value=${text} placeholder=${placeholder} onInput=${(e) => type(e.target.value)}></textarea>
		${wrong ? html`<div class="small text-danger-emphasis" role="status">Not JSON yet: ${wrong}</div>` : text && html`<button type="button" class="btn btn-link btn-sm p-0" disabled=${attrs.disabled} onClick=${() => type(JSON.stringify(exactJson(text), null, 2))}>Set in order</button>`}</div>`
}
// Stands for a text that is no JSON, so that it is not sent.
export class Invalid {
	constructor(message) {
		this.message = message
	}
}

const PICTURES = [['\\x89504e47', 'png'], ['\\xffd8ff', 'jpeg'], ['\\x47494638', 'gif'], ['\\x52494646', 'webp']]
function Binary({ c, value, attrs, onChange }) {
	const held = typeof value === 'string' && value.startsWith('\\x')
	const size = held ? (value.length - 2) / 2 : 0
	const picture = held && size < 2e6 && PICTURES.find(([sign]) => value.startsWith(sign))
	const url = picture && `data:image/${picture[1]};base64,${btoa(Array.from(fromHex(value), (b) => String.fromCharCode(b)).join(''))}`
	return html`<div>
		${url && html`<img class="blob" src=${url} alt=${c.name} />`}
		<div class="d-flex gap-2 align-items-center mb-1"><span class="small">${held ? bytes(size) : value === null ? 'null' : 'empty'}</span>
			${held && html`<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => saveAs(new Blob([fromHex(value)]), `${c.name}.bin`)}>Save as file</button>`}</div>
		<input ...${attrs} type="file" class="form-control" onChange=${async (e) => e.target.files[0] && onChange(toHex(new Uint8Array(await e.target.files[0].arrayBuffer())))} /></div>`
}

// A foreign key: type to search its table, choose with the arrows and Enter, or type the key itself.
function Picker({ model, c, value, attrs, onChange, id, placeholder }) {
	const target = pickable(model, c)
	const key = c.fk.target_columns[0]
	const [label, setLabel] = useState('')
	const [text, setText] = useState(null)
	const [found, setFound] = useState([])
	const [at, setAt] = useState(-1)
	const fields = [...new Set([key, target.label].filter(Boolean))].map(columnName).join(',')
	const ask = (pairs, signal) => rows(target.name, [['select', fields], ...pairs, ['limit', 8]], { schema: target.schema, signal }).then((r) => r.rows)

	useEffect(() => {
		setLabel('')
		if (value === null || value === undefined || value === '' || !target.label) return
		const stop = new AbortController()
		ask([[columnName(key), `eq.${value}`]], stop.signal).then((r) => r[0] && setLabel(shown(r[0][target.label])), () => {})
		return () => stop.abort()
	}, [value])
	useEffect(() => {
		if (text === null) return setFound([])
		const stop = new AbortController()
		const timer = setTimeout(() => {
			const by = text.trim()
			const searched = by && target.label && target.byName[target.label].kind === 'text'
				? ['or', search({ ...target, key: [key], columns: [target.byName[target.label], target.byName[key]] }, by)[1]] : by ? [columnName(key), target.byName[key].kind === 'text' ? `ilike.${by}*` : `eq.${by}`] : null
			ask([...(searched ? [searched] : []), ['order', columnName(target.label || key)]], stop.signal).then((r) => { setFound(r); setAt(-1) }, () => setFound([]))
		}, 150)
		return () => {
			clearTimeout(timer)
			stop.abort()
		}
	}, [text])
	const choose = (row) => {
		onChange(shown(row[key]))
		setText(null)
	}
	const keys = (e) => {
		if (text === null && e.key === 'ArrowDown') return setText('')
		if (text === null) return
		if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
			e.preventDefault()
			setAt((at + (e.key === 'ArrowDown' ? 1 : -1) + found.length) % Math.max(found.length, 1))
		} else if (e.key === 'Enter' && at >= 0 && found[at]) {
			e.preventDefault()
			choose(found[at])
		} else if (e.key === 'Escape') {
			e.preventDefault()
			e.stopPropagation()
			setText(null)
		}
	}
	const open = text !== null
	return html`<div class="picker" onFocusOut=${(e) => { if (!e.currentTarget.contains(e.relatedTarget)) setText(null) }}>
		<input ...${attrs} class="form-control" type="text" autocomplete="off" role="combobox" aria-expanded=${open} aria-autocomplete="list" aria-controls=${`${id}-list`}
			aria-activedescendant=${open && at >= 0 ? `${id}-option-${at}` : null} value=${open ? text : toText(c, value)} placeholder=${placeholder || `search ${target.name}`}
			onInput=${(e) => { setText(e.target.value); onChange(e.target.value) }} onKeyDown=${keys} onClick=${() => open || setText('')} />
		${label && !open && html`<div class="form-text m-0">${label}</div>`}
		<div id=${`${id}-list`} role="listbox" aria-label=${target.name} class=${`dropdown-menu ${open && found.length ? 'show' : ''}`}>
			${open && found.map((r, i) => html`<div id=${`${id}-option-${i}`} role="option" aria-selected=${i === at} class=${`dropdown-item ${i === at ? 'active' : ''}`}
				onPointerDown=${(e) => { e.preventDefault(); choose(r) }}>${target.label ? `${shown(r[target.label])} ` : ''}<small>${shown(r[key])}</small></div>`)}</div>
	</div>`
}
