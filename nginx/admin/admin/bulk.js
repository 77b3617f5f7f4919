// One change to many rows, after their number has been typed.
import { html, useState } from '../shared/html.js'
import { request, tablePath } from '../shared/api.js'
import { Dialog, Problem } from '../shared/layout.js'
import { Field, Invalid } from './fields.js'
import { counted, rowsOf } from './value.js'

export function BulkEdit({ model, t, n, which, recount, onClose, onDone }) {
	const columns = t.columns.filter((c) => c.updatable && !t.key.includes(c.name))
	const [name, setName] = useState(columns[0]?.name)
	const [value, setValue] = useState(undefined)
	const [typed, setTyped] = useState('')
	const [error, setError] = useState(null)
	const [busy, setBusy] = useState(false)
	const c = t.byName[name]
	const ready = value !== undefined && !(value instanceof Invalid) && (n === 1 || typed.trim() === String(n)) && !busy
	const run = async (e) => {
		e.preventDefault()
		if (!ready) return
		setBusy(true)
		setError(null)
		try {
			const now = recount ? await recount() : n
			if (now !== n) throw Object.assign(new Error(`Meanwhile ${rowsOf(now)} match, not ${counted(n)}`), { hint: 'Close this and select again. Nothing was changed.' })
			await request(tablePath(t.name, which()), { method: 'PATCH', schema: t.schema, body: { [name]: value }, headers: { Prefer: `handling=strict, max-affected=${n}, return=minimal` } })
			onDone(`${name} set in ${rowsOf(n)}`)
		} catch (e) {
			setError(e)
			setBusy(false)
		}
	}
	return html`<${Dialog} title=${`Edit ${rowsOf(n)}`} onClose=${onClose}>
		<form onSubmit=${run}>
			${error && html`<${Problem} error=${error} />`}
			<label class="form-label w-100">Column <select class="form-select" value=${name} onChange=${(e) => { setName(e.target.value); setValue(undefined) }}>${columns.map((x) => html`<option>${x.name}</option>`)}</select></label>
			${c && html`<${Field} key=${name} id="bulk-value" model=${model} c=${c} value=${value} onChange=${setValue} isNew />`}
			${n > 1 && html`<label class="form-label w-100 mt-3">Type <b>${n}</b> to confirm<input class="form-control mt-1" autocomplete="off" value=${typed} onInput=${(e) => setTyped(e.target.value)} /></label>`}
			<div class="d-flex gap-2 justify-content-end mt-3"><button type="button" class="btn btn-outline-secondary" onClick=${onClose}>Cancel</button>
				<button class="btn btn-primary" disabled=${!ready}>${busy ? 'Changing…' : `Change ${rowsOf(n)}`}</button></div>
		</form><//>`
}
