// How this instance fares: health, workers, connections, requests and the slowest statements, asked every few seconds while
// the page is looked at.
import { html, useEffect, useRef, useState } from '../shared/html.js'
import { forgetDocuments, request } from '../shared/api.js'
import { confirm, Empty, Loading, Problem, toast } from '../shared/layout.js'
import { act, admin, At, Grid, Head } from './parts.js'
import { counted } from './value.js'

const EVERY = 5000
const RELOAD_TURNS = 120
const ORDERS = { total: 'most time in all', mean: 'slowest on average', max: 'slowest once', count: 'most often' }
const end = (name) => ({ name, end: true })
const ms = (n) => (n === null || n === undefined ? '' : n < 10 ? `${n.toFixed(2)} ms` : n < 10000 ? `${counted(Math.round(n))} ms` : `${counted(Math.round(n / 1000))} s`)

// [{ name, labels, value }] of Prometheus' text.
function metrics(text) {
	return [...text.matchAll(/^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/gim)].map(([, name, labels, value]) => ({
		name, value: Number(value), labels: Object.fromEntries([...(labels || '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, k, v]) => [k, v])),
	}))
}

async function health(path) {
	try {
		const answer = await fetch(path, { cache: 'no-store' })
		const body = await answer.json()
		return { ok: answer.ok, text: body.message || body.msg || body.status }
	} catch {
		return { ok: false, text: 'cannot be reached' }
	}
}

async function look(order) {
	const asked = [health('/health/live'), health('/health/ready'), admin('pool'), request('/auth/v1/admin/metrics').then((a) => a.text()), admin(`statements?order=${order}&limit=50`)]
	const [live, ready, pool, text, statements] = (await Promise.allSettled(asked)).map((x) => (x.status === 'fulfilled' ? x.value : { error: x.reason }))
	const error = [pool, text, statements].find((x) => x?.error)?.error
	return { live, ready, at: new Date(), error, pool: pool.error ? null : pool, metrics: text.error ? null : metrics(text), statements: statements.error ? null : statements.statements }
}

const Card = ({ title, ok, value, note }) => html`<div class="card fact"><div class="card-body py-2"><h2 class="small text-body-secondary m-0">${title}</h2>
	<p class="h6 my-1 text-break">${ok !== undefined && html`<span class=${ok ? 'good' : 'bad'} aria-hidden="true">● </span>`}${value}</p>
	<p class="small text-body-secondary m-0">${note}</p></div></div>`

// 10.11.19-MariaDB-0+deb12u1 as MariaDB 10.11.19.
const server = (text) => (/^\d/.test(text) ? `${/mariadb/i.test(text) ? 'MariaDB' : 'MySQL'} ${/^[\d.]+/.exec(text)[0]}` : text || 'unknown')

function Cards({ live, ready, pool }) {
	const busy = pool?.workers.filter((w) => w.busy_ms !== null && w.busy_ms !== undefined).length
	return html`<div class="facts-row mb-3">
		<${Card} title="Up" ok=${live.ok} value=${live.ok ? 'yes' : 'no'} note=${live.text} />
		<${Card} title="Can answer" ok=${ready.ok} value=${ready.ok ? 'yes' : 'no'} note=${ready.text} />
		${pool && html`<${Card} title="Workers" value=${counted(pool.workers.length)} note=${`${busy} at work`} />
			<${Card} title="Connections" value=${counted(pool.connections)} note="to the database" />
			<${Card} title="Database" ok=${pool.database.answers} value=${server(pool.database.server || '')} note=${pool.database.answers ? `answers in ${ms(pool.database.ms)}` : pool.database.msg || 'does not answer'} />
			<${Card} title="Definitions" value=${`${counted(pool.definitions.tables)} tables`} note=${html`${counted(pool.definitions.routines)} routines, read <${At} value=${pool.definitions.loaded_at} />`} />`}</div>`
}

// One row for each route and method, one column for each status.
function requestsOf(m) {
	const found = m.filter((x) => x.name === 'rowgate_requests_total')
	const statuses = [...new Set(found.map((x) => x.labels.status))].sort()
	const rows = new Map()
	for (const { labels, value } of found) {
		const key = `${labels.route} ${labels.method}`
		const row = rows.get(key) || rows.set(key, { route: labels.route, method: labels.method, all: 0, by: {} }).get(key)
		row.all += value
		row.by[labels.status] = (row.by[labels.status] || 0) + value
	}
	for (const row of rows.values()) {
		const mine = (x) => x.labels.route === row.route && x.labels.method === row.method
		const one = (name) => m.filter((x) => x.name === `rowgate_request_duration_seconds_${name}` && mine(x))
		const n = one('count')[0]?.value || 0
		row.mean = n ? (1000 * one('sum')[0].value) / n : null
		row.p95 = n ? one('bucket').find((b) => b.value >= 0.95 * n)?.labels.le : null
	}
	return { statuses, rows: [...rows.values()].sort((a, b) => b.all - a.all) }
}

function Requests({ m }) {
	const { statuses, rows } = requestsOf(m)
	if (!rows.length) return html`<${Empty} title="No requests yet" />`
	return html`<${Grid} name="Requests" head=${['Route', 'Method', end('Requests'), ...statuses.map(end), end('Mean'), end('95 of 100 within')]} keys=${rows.map((r) => r.route + r.method)}
		rows=${rows.map((r) => [r.route, r.method, counted(r.all), ...statuses.map((s) => (r.by[s] ? counted(r.by[s]) : '')), ms(r.mean), r.p95 === '+Inf' ? 'over 10 s' : r.p95 ? ms(1000 * r.p95) : ''])} />`
}

// Which limits have been met, and the settings that set them. nginx counts its own in its log.
function Limits({ m }) {
	const sum = (name, statuses) => m.filter((x) => x.name === `rowgate_${name}` && (!statuses || statuses.includes(x.labels.status))).reduce((n, x) => n + x.value, 0)
	const status = (...all) => sum('requests_total', all)
	const rows = [
		['Sign-ins with a wrong password', 'auth-login-attempts', sum('logins_refused_total')],
		['Sign-ins held back for that (429)', 'auth-login-attempts', sum('logins_throttled_total')],
		['All answers 429', 'auth-login-attempts, auth-hash-share', status('429')],
		['Body, row or answer too large (413)', 'max-body-size, db-max-allowed-packet', status('413')],
		['Address too long (414)', 'max-url-length', status('414')],
		['Out of time (504)', 'db-statement-timeout', status('504')],
		['Answers that ended early', 'db-stream-timeout', sum('responses_cut_total')],
	]
	return html`<h2 class="h6 mt-4">Limits</h2><${Grid} name="Limits" head=${['What was met', 'Settings', end('Times')]} rows=${rows.map(([what, names, n]) => [what, names && html`<code>${names}</code>`, counted(n)])} />
		<p class="small text-body-secondary mt-1">Counted by Rowgate; what nginx refuses itself, by requests and connections of an address, is in its log.</p>`
}

function Statements({ list, order, onOrder, onReset }) {
	return html`<div class="d-flex flex-wrap gap-2 align-items-center mt-4 mb-1"><h2 class="h6 m-0 me-auto">Slowest statements</h2>
			<select class="form-select form-select-sm w-auto" aria-label="Order of the statements" value=${order} onChange=${(e) => onOrder(e.target.value)}>${Object.entries(ORDERS).map(([k, name]) => html`<option value=${k}>${name}</option>`)}</select>
			<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${onReset}>Count anew</button></div>
		${!list.length && html`<${Empty} title="No statement has run since counting began" />`}
		${list.length > 0 && html`<${Grid} name="Slowest statements" keys=${list.map((s) => s.text)} head=${[{ name: 'Statement', wide: true }, end('Runs'), end('Errors'), end('Rows'), end('In all'), end('Mean'), end('Longest'), 'Last']}
			rows=${list.map((s) => [html`<${Statement} text=${s.text} />`, counted(s.count), s.errors ? counted(s.errors) : '', counted(s.rows), ms(s.total_ms), ms(s.mean_ms), ms(s.max_ms), html`<${At} value=${s.last_at} />`])} />`}`
}

const SHORT = 120
const Statement = ({ text }) => (text.length <= SHORT ? html`<code>${text}</code>` : html`<details><summary><code>${text.slice(0, SHORT)}…</code></summary><code>${text}</code></details>`)

const Workers = ({ pool }) => html`<h2 class="h6 mt-4">Workers</h2><${Grid} name="Workers" keys=${pool.workers.map((w) => w.pid)} head=${['Process', 'Doing', end('Connections'), 'Read its configuration']}
	rows=${pool.workers.map((w) => [w.pid, w.busy_ms === null || w.busy_ms === undefined ? html`<span class="text-body-secondary">waiting</span>` : `at work for ${ms(w.busy_ms)}`, counted(w.connections), html`<${At} value=${w.reloaded_at} />`])} />`

function Rest({ m }) {
	const rest = m.filter((x) => !/_(bucket|sum|count)$/.test(x.name) && !['rowgate_requests_total', 'rowgate_build_info'].includes(x.name))
	return html`<details class="mt-4"><summary class="h6">Everything that is counted</summary>
		<${Grid} name="Figures" head=${['What', 'Of', end('Value')]} rows=${rest.map((x) => [x.name.replace(/^rowgate_/, '').replace(/_/g, ' '), Object.values(x.labels).join(' '), counted(x.value)])} /></details>`
}

// Every worker reads configuration, keys and definitions anew; said when the last has.
async function reload(changed) {
	const asked = await act('Reading anew', 'reload', { method: 'POST' })
	if (!asked) return
	for (let i = 0; i < RELOAD_TURNS; i++) {
		await new Promise((r) => setTimeout(r, 500))
		const pool = await admin('pool').catch(() => null)
		if (!pool || pool.reload.number < asked.number || pool.reload.done + pool.reload.failed < pool.workers.length) continue
		forgetDocuments()
		dispatchEvent(new Event('rowgate:model'))
		changed()
		if (pool.reload.failed) return toast(`${pool.reload.failed} workers could not read it and keep what they had. The reason is in the log.`, 'danger')
		return toast(`All ${pool.workers.length} workers have read configuration, keys and definitions anew`)
	}
	toast('Not all workers have read it yet. Those at work do so when they are done.', 'warning')
}

export function Operator() {
	const [state, set] = useState(null)
	const [order, setOrder] = useState('total')
	const [busy, setBusy] = useState(false)
	const turn = useRef(() => {})
	useEffect(() => {
		let over = false
		let timer
		turn.current = async () => {
			clearTimeout(timer)
			if (!document.hidden) {
				const now = await look(order)
				if (!over) set(now)
			}
			if (!over) timer = setTimeout(turn.current, EVERY)
		}
		turn.current()
		return () => {
			over = true
			clearTimeout(timer)
		}
	}, [order])
	const reset = async () =>
		(await confirm({ title: 'Count statements anew?', text: 'What has been counted about them until now is forgotten, for everybody.', action: 'Count anew' })) && act('Counted anew', 'statements', { method: 'DELETE' }, () => turn.current())
	const anew = async () => {
		setBusy(true)
		await reload(() => turn.current())
		setBusy(false)
	}
	if (!state) return html`<${Head} title="Operation" /><${Loading} what="Asking" />`
	return html`<div><${Head} title="Operation"><span class="small text-body-secondary" title=${state.at.toISOString()}>as of ${state.at.toLocaleTimeString()}</span>
			<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${busy} onClick=${anew}>${busy ? 'Reloading…' : 'Reload'}</button><//>
		${state.error && html`<${Problem} error=${state.error} />`}
		<${Cards} ...${state} />
		${state.metrics && html`<h2 class="h6">Requests</h2><${Requests} m=${state.metrics} /><${Limits} m=${state.metrics} />`}
		${state.statements && html`<${Statements} list=${state.statements} order=${order} onOrder=${setOrder} onReset=${reset} />`}
		${state.pool && html`<${Workers} pool=${state.pool} />`}
		${state.metrics && html`<${Rest} m=${state.metrics} />`}
	</div>`
}
