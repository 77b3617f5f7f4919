// What the pages about the instance share: requests for administrators, a table that is a list of cards on a phone.
import { html, useState } from '../shared/html.js'
import { json } from '../shared/api.js'
import { Dialog, Problem, Time, toast } from '../shared/layout.js'

export const admin = (path, options) => json('/auth/v1/admin/' + path, options)
export const segment = encodeURIComponent

// A request whose refusal is told in the corner; resolves to what it answers, or to nothing.
export async function act(done, path, options, then) {
	try {
		const answer = (await admin(path, options)) || {}
		toast(done)
		then?.(answer)
		return answer
	} catch (error) {
		toast([error.message, error.hint].filter(Boolean).join('. '), 'danger')
	}
}

// head: names, or { name, end } where figures stand. Each row is an array of what its cells show.
export function Grid({ name, head, rows, keys }) {
	const columns = head.map((h) => (typeof h === 'string' ? { name: h } : h))
	return html`<div class="table-responsive" tabindex="0" role="region" aria-label=${name}><table class="table table-sm grid">
		<thead><tr>${columns.map((c) => html`<th scope="col" class=${c.end ? 'text-end' : ''}>${c.hidden ? html`<span class="visually-hidden">${c.name}</span>` : c.name}</th>`)}</tr></thead>
		<tbody>${rows.map((r, n) => html`<tr key=${keys ? keys[n] : n}>${columns.map((c, i) => html`<td class=${`${c.end ? 'text-end' : ''} ${c.wide ? 'wide' : ''}`} data-label=${c.hidden || !i ? null : c.name}>${r[i]}</td>`)}</tr>`)}</tbody></table></div>`
}

export const Head = ({ title, children, about }) => html`<div class="d-flex flex-wrap gap-2 align-items-center mb-2"><h1 class="h4 m-0 me-auto">${title}</h1>${children}</div>
	${about && html`<p class="text-body-secondary about">${about}</p>`}`

export const Small = ({ children, danger, ...more }) => html`<button type="button" class=${`btn btn-sm btn-link px-1 ${danger ? 'link-danger' : ''}`} ...${more}>${children}</button>`
export const At = ({ value, none = '' }) => (value ? html`<${Time} value=${value} />` : none)

// A form in a dialog. send(values) makes the request; a refusal stands above the fields, which keep what was typed.
export function Ask({ title, action, send, onClose, children, wide }) {
	const [error, setError] = useState(null)
	const [busy, setBusy] = useState(false)
	const submit = async (e) => {
		e.preventDefault()
		setBusy(true)
		setError(null)
		try {
			await send(Object.fromEntries(new FormData(e.target)), new FormData(e.target))
		} catch (e) {
			setError(e)
			setBusy(false)
		}
	}
	return html`<${Dialog} title=${title} wide=${wide} onClose=${onClose}><form onSubmit=${submit}>
		${error && html`<${Problem} error=${error} />`}
		${children}
		<div class="d-flex gap-2 justify-content-end mt-3"><button type="button" class="btn btn-outline-secondary" onClick=${onClose}>Cancel</button>
			<button class="btn btn-primary" disabled=${busy}>${action}</button></div></form><//>`
}

// JSON that somebody typed, as an object; what is none is refused as the server would.
export function objectOf(text, what) {
	if (!text.trim()) return undefined
	let value
	try {
		value = JSON.parse(text)
	} catch (error) {
		throw Object.assign(new Error(`${what} are no JSON`), { details: error.message })
	}
	if (!value || typeof value !== 'object' || Array.isArray(value)) throw Object.assign(new Error(`${what} are no object`), { hint: 'For example {"app_metadata": {"team": 3}}' })
	return value
}

// Shown once: what nobody can read again later.
export function Secret({ label, text, rows = 4 }) {
	const copy = () => navigator.clipboard.writeText(text).then(() => toast('Copied'), () => toast('The browser does not let this page copy.', 'warning'))
	return html`<label class="form-label w-100">${label}<textarea class="form-control font-monospace small" rows=${rows} readonly value=${text} onFocus=${(e) => e.target.select()}></textarea></label>
		<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${copy}>Copy</button>`
}
