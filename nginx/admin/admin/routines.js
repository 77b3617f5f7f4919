// Functions and procedures: a form for their arguments, and what they answer.
import { html, useState } from '../shared/html.js'
import { exactJson, request } from '../shared/api.js'
import { Problem } from '../shared/layout.js'
import { Field, Invalid } from './fields.js'
import { shown } from './value.js'

export function Routine({ model, r }) {
	const [values, set] = useState({})
	const [whole, setWhole] = useState('{}')
	const [state, setState] = useState({})
	const run = async (e) => {
		e.preventDefault()
		setState({ busy: true })
		const begun = performance.now()
		try {
			const bad = Object.values(values).find((v) => v instanceof Invalid)
			if (bad) throw bad
			const body = r.wholeBody ? exactJson(whole) : Object.fromEntries(r.args.map((a) => [a.name, values[a.name] === undefined ? (a.kind === 'text' ? '' : null) : values[a.name]]))
			const answer = await request('/rest/v1/rpc/' + encodeURIComponent(r.name), { method: 'POST', schema: model.schema, body })
			const text = await answer.text()
			let data = text
			try {
				data = exactJson(text)
			} catch {
				// Text or bytes, as they came.
			}
			setState({ data, status: answer.status, ms: Math.round(performance.now() - begun) })
		} catch (error) {
			setState({ error })
		}
	}
	return html`<div><h1 class="h4 text-break">${r.name} <small class="badge text-bg-secondary">${r.isFunction ? 'function' : 'procedure'}</small></h1>
		${r.comment && html`<p class="text-body-secondary">${r.comment}</p>`}
		<form onSubmit=${run} class="record" novalidate>
			${r.wholeBody && html`<label class="form-label w-100">Body (JSON)<textarea class="form-control font-monospace" rows="8" spellcheck="false" value=${whole} onInput=${(e) => setWhole(e.target.value)}></textarea></label>
				<label class="form-label w-100">or from a file<input class="form-control" type="file" onChange=${async (e) => e.target.files[0] && setWhole(await e.target.files[0].text())} /></label>`}
			<div class="fields">${r.args.map((a, i) => html`<${Field} key=${a.name} id=${`a-${i}`} model=${model} c=${{ ...a, nullable: true }} value=${values[a.name]} isNew onChange=${(v) => set((all) => ({ ...all, [a.name]: v }))} />`)}</div>
			<button class="btn btn-primary mt-3" disabled=${state.busy}>${state.busy ? 'Running…' : 'Run'}</button>
		</form>
		<div class="mt-3">
			${state.error && html`<${Problem} error=${state.error} />`}
			${state.status && html`<p role="status">Answered in ${state.ms} ms.</p><${Answer} data=${state.data} />`}</div>
	</div>`
}

function Answer({ data }) {
	const table = Array.isArray(data) && data.length > 0 && data.every((r) => r && typeof r === 'object' && !Array.isArray(r))
	if (!table) return html`<pre class="long border rounded p-2" tabindex="0">${data === '' ? '(nothing)' : typeof data === 'string' ? data : JSON.stringify(data, null, 2)}</pre>`
	const names = Object.keys(data[0])
	return html`<div class="table-responsive" tabindex="0" role="region" aria-label="Answer"><table class="table table-sm rows"><thead><tr>${names.map((n) => html`<th scope="col">${n}</th>`)}</tr></thead>
		<tbody>${data.slice(0, 500).map((r) => html`<tr>${names.map((n) => html`<td>${r[n] === null ? html`<span class="null">null</span>` : shown(r[n]).slice(0, 200)}</td>`)}</tr>`)}</tbody></table></div>`
}

