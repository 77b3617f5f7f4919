// A routine called once for each of many rows: its parameters take columns of the row, or one value for all.
import { html, useEffect, useRef, useState } from '../shared/html.js'
import { request, rows as fetchRows } from '../shared/api.js'
import { Dialog, Problem } from '../shared/layout.js'
import { columnName } from './filter.js'
import { Field, Invalid } from './fields.js'
import { counted, rowsOf, shown } from './value.js'

const PAGE = 1000
const SHOWN = 200
const VALUE = 'value'
const NONE = 'none'

// What may change something for a row; first the routines whose parameters are columns by their names.
export function actionsOf(model, t) {
	const takes = (a) => t.byName[a.name]?.readable
	const fits = (r) => r.args.some(takes) && r.args.every((a) => takes(a) || !a.required)
	return model.routines.filter((r) => r.args.length && !r.readOnly).map((r) => ({ ...r, fits: fits(r) })).sort((a, b) => b.fits - a.fits)
}

// All of them before the first call, which may change what matches.
async function readRows(t, columns, where, n, stop) {
	const select = [...new Set([...t.key, ...columns])].map(columnName).join(',')
	const all = []
	while (all.length <= n && !stop.current) {
		const pairs = [['select', select], ['order', t.key.map(columnName).join(',')], ...where, ['limit', PAGE], ['offset', all.length]]
		const { rows } = await fetchRows(t.name, pairs, { schema: t.schema })
		if (!rows.length) break
		all.push(...rows)
	}
	if (all.length !== n && !stop.current)
		throw Object.assign(new Error(`Meanwhile ${all.length > n ? 'more' : `only ${counted(all.length)}`} rows match, not ${counted(n)}`), { hint: 'Close this and select again. Nothing was called.' })
	return all
}

export function EachRow({ model, t, n, which, onClose, onDone }) {
	const actions = actionsOf(model, t)
	const [name, setName] = useState(actions[0].name)
	const [chosen, choose] = useState({})
	const [fixed, fix] = useState({})
	const [typed, setTyped] = useState('')
	const [state, setState] = useState({})
	const stop = useRef(false)
	useEffect(() => () => { stop.current = true }, [])
	const r = actions.find((a) => a.name === name)
	const readable = t.columns.filter((c) => c.readable)
	const source = (a) => chosen[a.name] || (t.byName[a.name]?.readable ? `=${a.name}` : a.required ? VALUE : NONE)
	const column = (a) => source(a)[0] === '=' && source(a).slice(1)
	const given = r.args.filter((a) => source(a) !== NONE)
	const lacking = given.some((a) => !column(a) && (fixed[a.name] === undefined || fixed[a.name] instanceof Invalid))
	const ready = !lacking && (n === 1 || typed.trim() === String(n))
	const running = state.phase === 'run'

	const run = async (e) => {
		e.preventDefault()
		if (!ready || running) return
		stop.current = false
		const failed = []
		let done = 0
		setState({ phase: 'run', done, failed })
		try {
			for (const row of await readRows(t, given.map(column).filter(Boolean), which(), n, stop)) {
				if (stop.current) break
				const body = Object.fromEntries(given.map((a) => [a.name, column(a) ? row[column(a)] : fixed[a.name]]))
				try {
					await (await request('/rest/v1/rpc/' + encodeURIComponent(r.name), { method: 'POST', schema: t.schema, body })).arrayBuffer()
					done++
				} catch (error) {
					failed.push({ key: t.key.map((k) => shown(row[k])).join(' '), error })
					// Nobody answers, or nobody is signed in: so it would be for the rest.
					if (!error.status || error.status === 401) break
				}
				setState({ phase: 'run', done, failed })
			}
			setState({ phase: 'end', done, failed })
		} catch (error) {
			setState({ error })
		}
	}
	const close = () => {
		if (running) stop.current = true
		else if (state.phase === 'end' && state.done + state.failed.length) onDone(`${r.name}: called for ${rowsOf(state.done)}`)
		else onClose()
	}
	return html`<${Dialog} title=${`Run a routine for ${rowsOf(n)}`} wide onClose=${close}>
		${state.phase ? html`<${Progress} t=${t} n=${n} ...${state} /><div class="d-flex justify-content-end mt-3">
			<button type="button" class=${`btn ${running ? 'btn-outline-danger' : 'btn-primary'}`} onClick=${close}>${running ? 'Stop' : 'Close'}</button></div>` : html`<form onSubmit=${run}>
			${state.error && html`<${Problem} error=${state.error} />`}
			<label class="form-label w-100">Routine <select class="form-select" value=${name} onChange=${(e) => { setName(e.target.value); choose({}); fix({}) }}>
				${actions.map((a) => html`<option value=${a.name}>${a.name}${a.fits ? '' : ' (parameters are to be chosen)'}</option>`)}</select></label>
			${r.comment && html`<p class="small text-body-secondary">${r.comment}</p>`}
			${r.args.map((a, i) => html`<div key=${`${name} ${a.name}`} class="parameter mb-2">
				<label class="form-label m-0">${a.name} <small class="text-body-secondary">${a.dbType}</small>
					<select class="form-select" value=${source(a)} onChange=${(e) => choose({ ...chosen, [a.name]: e.target.value })}>
						${readable.map((c) => html`<option value=${`=${c.name}`}>column ${c.name}</option>`)}
						<option value=${VALUE}>one value for all</option>${!a.required && html`<option value=${NONE}>not given</option>`}</select></label>
				${source(a) === VALUE && html`<${Field} id=${`each-${i}`} model=${model} c=${{ ...a, name: `value of ${a.name}`, nullable: true, required: true }} value=${fixed[a.name]} isNew onChange=${(v) => fix((all) => ({ ...all, [a.name]: v }))} />`}</div>`)}
			${n > 1 && html`<label class="form-label w-100 mt-2">Type <b>${n}</b> to confirm<input class="form-control mt-1" autocomplete="off" value=${typed} onInput=${(e) => setTyped(e.target.value)} /></label>`}
			<div class="d-flex gap-2 justify-content-end mt-3"><button type="button" class="btn btn-outline-secondary" onClick=${onClose}>Cancel</button>
				<button class="btn btn-primary" disabled=${!ready}>Run for ${rowsOf(n)}</button></div></form>`}<//>`
}

function Progress({ t, n, phase, done, failed }) {
	const left = n - done - failed.length
	return html`<div>
		${phase === 'run' ? html`<p class="mb-1">${counted(done + failed.length)} of ${counted(n)}</p><progress class="w-100" aria-label="Rows called for" value=${done + failed.length} max=${n}></progress>`
			: html`<p role="status">Called for ${rowsOf(done)}${failed.length ? `, ${counted(failed.length)} refused` : ''}${left ? `; stopped before ${counted(left)} more` : ''}.</p>`}
		${failed.length > 0 && html`<div class="table-responsive refused" tabindex="0" role="region" aria-label="Refused"><table class="table table-sm rows"><thead><tr><th scope="col">${t.key.join(', ')}</th><th scope="col">Why</th></tr></thead>
			<tbody>${failed.slice(0, SHOWN).map((f) => html`<tr><td>${f.key}</td><td class="text-wrap">${[f.error.message, typeof f.error.details === 'string' && f.error.details, f.error.hint].filter(Boolean).join('. ')}${f.error.code && html` <small class="font-monospace">(${f.error.code})</small>`}</td></tr>`)}</tbody></table></div>
			${failed.length > SHOWN && html`<p class="small m-0">and ${counted(failed.length - SHOWN)} more</p>`}`}</div>`
}
