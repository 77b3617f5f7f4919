// How this instance fares: health, and what /metrics counts, asked every few seconds while the page is looked at.
import { html, useEffect, useState } from '../shared/html.js'
import { forgetDocuments, request } from '../shared/api.js'
import { Loading, Problem, toast } from '../shared/layout.js'
import { counted } from './value.js'

const EVERY = 5000

// [{ name, labels, value }] of Prometheus' text.
function metrics(text) {
	return [...text.matchAll(/^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/gim)].map(([, name, labels, value]) => ({
		name, value: Number(value), labels: Object.fromEntries([...(labels || '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, k, v]) => [k, v])),
	}))
}

async function look() {
	const health = async (path) => {
		try {
			const answer = await fetch(path, { cache: 'no-store' })
			return { ok: answer.ok, text: JSON.stringify(await answer.json()) }
		} catch (error) {
			return { ok: false, text: 'cannot be reached' }
		}
	}
	const [live, ready] = await Promise.all(['/health/live', '/health/ready'].map(health))
	try {
		return { live, ready, metrics: metrics(await (await request('/metrics')).text()), at: new Date() }
	} catch (error) {
		return { live, ready, error, at: new Date() }
	}
}

export function Operator() {
	const [state, set] = useState(null)
	useEffect(() => {
		let over = false
		let timer
		const turn = async () => {
			if (!document.hidden) {
				const now = await look()
				if (!over) set(now)
			}
			if (!over) timer = setTimeout(turn, EVERY)
		}
		turn()
		return () => {
			over = true
			clearTimeout(timer)
		}
	}, [])
	if (!state) return html`<h1 class="h4">Operation</h1><${Loading} what="Asking" />`
	const m = state.metrics || []
	const requests = m.filter((x) => x.name === 'rowgate_requests_total')
	const simple = m.filter((x) => !/_(bucket|sum|count)$/.test(x.name) && x.name !== 'rowgate_requests_total' && x.name !== 'rowgate_build_info')
	const durations = m.filter((x) => x.name === 'rowgate_request_duration_seconds_count').map((c) => {
		const mine = (x) => x.labels.route === c.labels.route && x.labels.method === c.labels.method
		const sum = m.find((x) => x.name === 'rowgate_request_duration_seconds_sum' && mine(x))?.value || 0
		const buckets = m.filter((x) => x.name === 'rowgate_request_duration_seconds_bucket' && mine(x))
		const quantile = (q) => buckets.find((b) => b.value >= q * c.value)?.labels.le
		return { ...c.labels, n: c.value, mean: c.value ? sum / c.value : 0, p95: quantile(0.95) }
	}).filter((d) => d.n).sort((a, b) => b.mean - a.mean)
	const badge = (h) => html`<span class=${`badge text-bg-${h.ok ? 'success' : 'danger'}`}>${h.ok ? 'yes' : 'no'}</span>`
	const reread = () => {
		forgetDocuments()
		dispatchEvent(new Event('rowgate:model'))
		toast('The pages have read the definitions anew. The workers do so by themselves within seconds; make reload reads configuration and keys.', 'info')
	}
	return html`<div>
		<div class="d-flex gap-2 align-items-center mb-2"><h1 class="h4 m-0 me-auto">Operation</h1><span class="small" title=${state.at.toISOString()}>${state.at.toLocaleTimeString()}</span>
			<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${reread}>Read definitions anew</button></div>
		<div class="row g-3 mb-3">
			<div class="col-md-6"><div class="card"><div class="card-body"><h2 class="h6">Up ${badge(state.live)}</h2><code class="text-break">${state.live.text}</code></div></div></div>
			<div class="col-md-6"><div class="card"><div class="card-body"><h2 class="h6">Can answer ${badge(state.ready)}</h2><code class="text-break">${state.ready.text}</code></div></div></div></div>
		${state.error && html`<${Problem} error=${state.error} />`}
		${state.metrics && html`<h2 class="h6">Workers, connections and the rest</h2>
			<${Table} name="Figures" head=${['What', 'Of', 'Value']} rows=${simple.map((x) => [x.name.replace(/^rowgate_/, '').replace(/_/g, ' '), Object.values(x.labels).join(' '), counted(x.value)])} />
			<h2 class="h6 mt-3">Requests</h2>
			<${Table} name="Requests" head=${['Route', 'Method', 'Role', 'Status', 'Requests']} rows=${requests.map((x) => [x.labels.route, x.labels.method, x.labels.role, x.labels.status, counted(x.value)])} />
			<h2 class="h6 mt-3">Slowest first</h2>
			<${Table} name="Times" head=${['Route', 'Method', 'Requests', 'Mean', '95 of 100 within']} rows=${durations.map((d) => [d.route, d.method, counted(d.n), `${(d.mean * 1000).toFixed(1)} ms`, d.p95 === '+Inf' ? 'over 10 s' : `${d.p95 * 1000} ms`])} />`}
	</div>`
}

const Table = ({ name, head, rows }) => html`<div class="table-responsive" tabindex="0" role="region" aria-label=${name}><table class="table table-sm rows"><thead><tr>${head.map((h) => html`<th scope="col">${h}</th>`)}</tr></thead>
	<tbody>${rows.map((r) => html`<tr>${r.map((v) => html`<td>${v}</td>`)}</tr>`)}</tbody></table></div>`
