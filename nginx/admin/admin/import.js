// Rows from a file: CSV, a JSON array or JSON with a row a line. The file is read and sent in pieces; a piece that is
// refused names its bad rows, which are set aside, and the rest of it is sent again. Every piece has an Idempotency-Key, so
// that sending it again after the network was gone does it once.
import Papa from 'papaparse'
import { html, useRef, useState } from '../shared/html.js'
import { request, saveAs, tablePath } from '../shared/api.js'
import { Problem } from '../shared/layout.js'
import { columnName } from './filter.js'
import { address } from './route.js'
import { counted, rowsOf, shown } from './value.js'

const PIECE = 500
const PREVIEW = 10
const DATES = { iso: '2026-12-31', '%m/%d/%Y': '12/31/2026', '%d/%m/%Y': '31/12/2026', '%d.%m.%Y': '31.12.2026', '%m/%d/%y': '12/31/26', '%Y%m%d': '20261231' }

export function toIso(format, text) {
	if (format === 'iso') return text
	const names = []
	const pattern = format.replace(/[.\/]/g, '\\$&').replace(/%(.)/g, (_, k) => {
		names.push(k)
		return { Y: '(\\d{4})', y: '(\\d{2})', m: format === '%Y%m%d' ? '(\\d{2})' : '(\\d{1,2})', d: format === '%Y%m%d' ? '(\\d{2})' : '(\\d{1,2})' }[k]
	})
	const found = new RegExp(`^${pattern}(.*)$`).exec(text.trim())
	if (!found) return text
	const part = Object.fromEntries(names.map((k, i) => [k, found[i + 1]]))
	const year = part.Y || (Number(part.y) < 70 ? '20' : '19') + part.y
	return `${year}-${part.m.padStart(2, '0')}-${part.d.padStart(2, '0')}${found[names.length + 1]}`
}

// The file as text in chunks; throws when it is no UTF-8 text.
async function* chunks(file) {
	const decoder = new TextDecoder('utf-8', { fatal: true })
	const reader = file.stream().getReader()
	try {
		for (;;) {
			const { done, value } = await reader.read()
			const text = done ? decoder.decode() : decoder.decode(value, { stream: true })
			if (text.includes('\0')) throw new TypeError('binary')
			if (text) yield text
			if (done) return
		}
	} catch (error) {
		if (error instanceof TypeError) throw new Error('This file is no text in UTF-8. Choose a CSV or JSON file, saved as UTF-8.')
		throw error
	} finally {
		reader.cancel().catch(() => {})
	}
}

// { values, line } for each row of the file; values by the names in its head.
async function* records(file, settings) {
	if (settings.type === 'csv') yield* csvRecords(file, settings)
	else if (settings.type === 'ndjson') yield* lineRecords(file)
	else yield* arrayRecords(file)
}

// Whole lines at a time: a line ends where the quotes are even.
async function* csvRecords(file, { delimiter }) {
	let rest = ''
	let head = null
	let line = 0
	const parse = (text) => Papa.parse(text, { delimiter, skipEmptyLines: 'greedy' }).data
	const take = function* (text) {
		for (const cells of parse(text)) {
			if (!head) head = cells.map((c) => c.replace(/^\ufeff/, '').trim())
			else {
				line++
				if (cells.length !== head.length) yield { line, wrong: `${cells.length} values, and the head has ${head.length}`, values: Object.fromEntries(head.map((h, i) => [h, cells[i] ?? ''])) }
				else yield { line, values: Object.fromEntries(head.map((h, i) => [h, cells[i]])) }
			}
		}
	}
	for await (const text of chunks(file)) {
		rest += text
		let cut = -1
		let odd = false
		for (let i = 0; i < rest.length; i++) {
			const c = rest.charCodeAt(i)
			if (c === 34) odd = !odd
			else if (c === 10 && !odd) cut = i
		}
		if (cut >= 0) {
			yield* take(rest.slice(0, cut + 1))
			rest = rest.slice(cut + 1)
		}
	}
	if (rest.trim()) yield* take(rest)
	if (!head) throw new Error('The file is empty.')
}

async function* lineRecords(file) {
	let rest = ''
	let line = 0
	const one = (text) => {
		line++
		if (!text.trim()) return null
		try {
			const values = JSON.parse(text)
			if (values && typeof values === 'object' && !Array.isArray(values)) return { line, values }
		} catch {
			// Told below.
		}
		return { line, values: { '': text.slice(0, 200) }, wrong: 'not a JSON object' }
	}
	for await (const text of chunks(file)) {
		const lines = (rest + text).split('\n')
		rest = lines.pop()
		for (const l of lines) {
			const r = one(l)
			if (r) yield r
		}
	}
	const last = one(rest)
	if (last) yield last
}

async function* arrayRecords(file) {
	let text = ''
	for await (const t of chunks(file)) text += t
	let all
	try {
		all = JSON.parse(text)
	} catch (error) {
		throw new Error(`The file is no JSON: ${error.message}`)
	}
	let line = 0
	for (const values of Array.isArray(all) ? all : [all]) {
		line++
		yield values && typeof values === 'object' && !Array.isArray(values) ? { line, values } : { line, values: { '': shown(values) }, wrong: 'not a JSON object' }
	}
}

async function look(file) {
	let start = ''
	for await (const text of chunks(file.slice(0, 65536).size === file.size ? file : file)) {
		start += text
		if (start.length > 65536) break
	}
	const first = start.replace(/^\ufeff/, '').trimStart()
	if (!first) throw new Error('The file is empty.')
	const type = first[0] === '[' ? 'json' : first[0] === '{' ? (/^\{[^\n]*\}\s*(\n|$)/.test(first) ? 'ndjson' : 'json') : 'csv'
	const delimiter = type === 'csv' ? Papa.parse(first.split('\n').slice(0, 20).join('\n'), { preview: 20 }).meta.delimiter : ','
	return { type, delimiter, dates: 'iso', empty: 'null', exists: 'refuse' }
}

async function preview(file, settings) {
	const out = []
	for await (const r of records(file, settings)) {
		out.push(r)
		if (out.length >= PREVIEW) break
	}
	if (!out.length) throw new Error('There is a head but no row in the file.')
	return out
}

const plain = (s) => s.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

export function Import({ t }) {
	const [file, setFile] = useState(null)
	const [settings, setSettings] = useState(null)
	const [rows, setRows] = useState(null)
	const [mapping, setMapping] = useState({})
	const [problem, setProblem] = useState(null)
	const [run, setRun] = useState(null)
	const stopped = useRef(false)
	const columns = t.columns.filter((c) => c.insertable)

	const read = async (f, s) => {
		setProblem(null)
		setRun(null)
		try {
			const how = s || (await look(f))
			const sample = await preview(f, how)
			const names = [...new Set(sample.flatMap((r) => Object.keys(r.values)))].filter((n) => n !== '')
			setFile(f)
			setSettings(how)
			setRows(sample)
			setMapping(Object.fromEntries(names.map((n) => [n, columns.find((c) => c.name === n)?.name || columns.find((c) => plain(c.name) === plain(n))?.name || ''])))
		} catch (error) {
			setRows(null)
			setProblem(error)
		}
	}
	const used = Object.entries(mapping).filter(([, to]) => to)
	const twice = used.find(([, to], i) => used.findIndex(([, x]) => x === to) !== i)
	const lacking = columns.filter((c) => c.required && !used.some(([, to]) => to === c.name))

	const start = async () => {
		stopped.current = false
		const state = { phase: 'run', sent: 0, failed: [], read: 0, bytes: 0, waiting: false }
		const show = (change) => setRun({ ...Object.assign(state, change) })
		show({})
		try {
			let piece = []
			for await (const r of records(file, settings)) {
				if (stopped.current) break
				state.read++
				if (r.wrong) state.failed.push({ ...r, error: r.wrong })
				else piece.push({ ...r, body: row(t, used, settings, r.values) })
				if (piece.length >= PIECE) {
					await sendPiece(t, settings, piece, state, show, stopped)
					piece = []
				}
			}
			if (piece.length && !stopped.current) await sendPiece(t, settings, piece, state, show, stopped)
			show({ phase: stopped.current ? 'stopped' : 'done' })
		} catch (error) {
			show({ phase: 'broken', error })
		}
	}
	const change = (name) => (e) => read(file, { ...settings, [name]: e.target.value })
	const set = (name) => (e) => setSettings({ ...settings, [name]: e.target.value })

	return html`<div>
		<nav aria-label="Trail" class="mb-2"><ol class="breadcrumb m-0"><li class="breadcrumb-item"><a href=${address({ schema: t.schema, table: t.name })}>${t.name}</a></li></ol></nav>
		<h1 class="h4">Import into ${t.name}</h1>
		<label class="form-label w-100">File: CSV, a JSON array, or JSON with a row a line
			<input type="file" class="form-control" accept=".csv,.tsv,.txt,.json,.ndjson,.jsonl,text/csv,application/json" onChange=${(e) => e.target.files[0] && read(e.target.files[0])} disabled=${run?.phase === 'run'} /></label>
		${problem && html`<${Problem} error=${problem} />`}
		${rows && html`<div class="import-settings">
			<label>Kind <select class="form-select form-select-sm" value=${settings.type} onChange=${change('type')}><option value="csv">CSV</option><option value="ndjson">JSON, a row a line</option><option value="json">JSON</option></select></label>
			${settings.type === 'csv' && html`<label>Values are parted by <select class="form-select form-select-sm" value=${settings.delimiter} onChange=${change('delimiter')}><option value=",">comma</option><option value=";">semicolon</option><option value=${'\t'}>tab</option><option value="|">bar</option></select></label>
				<label>Empty values are <select class="form-select form-select-sm" value=${settings.empty} onChange=${set('empty')}><option value="null">null</option><option value="text">empty text</option><option value="default">left out (default)</option></select></label>`}
			<label>Dates look like <select class="form-select form-select-sm" value=${settings.dates} onChange=${set('dates')}>${Object.entries(DATES).map(([k, v]) => html`<option value=${k}>${v}</option>`)}</select></label>
			${t.primaryKey.length > 0 && html`<label>Rows that are there already <select class="form-select form-select-sm" value=${settings.exists} onChange=${set('exists')}><option value="refuse">are errors</option>${t.can.update && html`<option value="merge">are changed</option>`}<option value="ignore">stay as they are</option></select></label>`}
		</div>
		<h2 class="h6 mt-3">Columns and the first rows</h2>
		<div class="table-responsive" tabindex="0" role="region" aria-label="The first rows of the file"><table class="table table-sm rows">
			<thead><tr><th scope="col">Row</th>${Object.keys(mapping).map((n) => html`<th scope="col"><span class="d-block">${n}</span>
				<select class="form-select form-select-sm" aria-label=${`Column for ${n}`} value=${mapping[n]} onChange=${(e) => setMapping({ ...mapping, [n]: e.target.value })}>
					<option value="">(leave out)</option>${columns.map((c) => html`<option value=${c.name}>${c.name}</option>`)}</select></th>`)}</tr></thead>
			<tbody>${rows.map((r) => html`<tr><td>${r.line}</td>${r.wrong ? html`<td colspan=${Object.keys(mapping).length || 1} class="text-danger-emphasis">${r.wrong}</td>` : Object.keys(mapping).map((n) => html`<td>${cell(t.byName[mapping[n]], settings, r.values[n])}</td>`)}</tr>`)}</tbody></table></div>
		${twice && html`<p class="text-danger-emphasis">Two columns of the file go to ${twice[1]}.</p>`}
		${lacking.length > 0 && html`<p class="text-warning-emphasis">No value comes for ${lacking.map((c) => c.name).join(', ')}, which every row must have.</p>`}
		${(!run || run.phase !== 'run') && html`<button type="button" class="btn btn-primary mt-3" disabled=${!used.length || Boolean(twice)} onClick=${start}>${run ? 'Import again' : 'Import'}</button>`}`}
		${run && html`<${Progress} t=${t} file=${file} run=${run} stop=${() => (stopped.current = true)} />`}
	</div>`
}

const cell = (c, settings, v) => (v === undefined ? '' : v === null ? html`<span class="null">null</span>` : shown(c ? value(c, settings, v) : v).slice(0, 60))
const value = (c, settings, v) => (typeof v === 'string' && ['date', 'datetime', 'zoned'].includes(c.kind) ? toIso(settings.dates, v) : v)

function row(t, used, settings, values) {
	const out = {}
	for (const [from, to] of used) {
		let v = values[from]
		if (settings.type === 'csv' && v === '') {
			if (settings.empty === 'default') continue
			v = settings.empty === 'null' ? null : ''
		}
		if (v === undefined) continue
		const c = t.byName[to]
		if (c.kind === 'json' && settings.type === 'csv' && typeof v === 'string') {
			try {
				v = JSON.parse(v)
			} catch {
				// The database says what is wrong with it.
			}
		}
		out[to] = v === null ? null : value(c, settings, v)
	}
	return out
}

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function post(t, settings, bodies, show, stopped) {
	const how = { refuse: '', merge: 'resolution=merge-duplicates, ', ignore: 'resolution=ignore-duplicates, ' }[settings.exists]
	const columns = [...new Set(bodies.flatMap(Object.keys))]
	const options = {
		method: 'POST', schema: t.schema, body: bodies,
		headers: { Prefer: `${how}missing=default, return=minimal`, 'Idempotency-Key': crypto.randomUUID() },
	}
	for (let wait = 1000; ; wait = Math.min(wait * 2, 15000)) {
		try {
			await request(tablePath(t.name, [['columns', columns.map(columnName).join(',')]]), options)
			return show({ waiting: false })
		} catch (error) {
			if (![0, 429, 503].includes(error.status) || stopped.current) throw error
			show({ waiting: error.message })
			await later(wait)
		}
	}
}

// A piece, less the rows that the answer names as bad; where it names none, its halves.
async function sendPiece(t, settings, piece, state, show, stopped) {
	if (!piece.length || stopped.current) return
	try {
		await post(t, settings, piece.map((r) => r.body), show, stopped)
		show({ sent: state.sent + piece.length })
	} catch (error) {
		// Who may not write at all learns it at once.
		if (!(error.status >= 400 && error.status < 500) || [401, 403, 404, 405].includes(error.status)) throw error
		const bad = new Map()
		for (const [, n, text] of String(error.details || '').matchAll(/^Row (\d+), (.*)$/gm)) bad.set(n - 1, bad.has(n - 1) ? `${bad.get(n - 1)}; ${text}` : text)
		if (!bad.size && piece.length === 1) bad.set(0, [error.message, error.details].filter(Boolean).join(': '))
		if (bad.size) {
			for (const [i, text] of bad) if (piece[i]) state.failed.push({ ...piece[i], error: text })
			show({})
			await sendPiece(t, settings, piece.filter((_, i) => !bad.has(i)), state, show, stopped)
		} else {
			const half = Math.ceil(piece.length / 2)
			await sendPiece(t, settings, piece.slice(0, half), state, show, stopped)
			await sendPiece(t, settings, piece.slice(half), state, show, stopped)
		}
	}
}

function Progress({ t, run, stop }) {
	const { phase, sent, failed, read, waiting, error } = run
	const names = [...new Set(failed.flatMap((r) => Object.keys(r.values)))]
	const save = () => saveAs(new Blob([Papa.unparse({ fields: [...names, '_row', '_error'], data: [...failed].sort((a, b) => a.line - b.line).map((r) => [...names.map((n) => shown(r.values[n])), r.line, r.error]) })], { type: 'text/csv' }), `${t.name}-errors.csv`)
	return html`<section class="mt-3" aria-label="Import">
		${phase === 'run' && html`<progress class="w-100" aria-label="Rows imported" value=${sent + failed.length} max=${Math.max(read, 1)}></progress>`}
		<p role="status">${phase === 'done' ? 'Done: ' : phase === 'stopped' ? 'Stopped: ' : phase === 'broken' ? 'Broken off: ' : 'Importing: '}${rowsOf(sent)} imported, ${counted(failed.length)} refused.${waiting ? ` Waiting: ${waiting}.` : ''}</p>
		${phase === 'run' && html`<button type="button" class="btn btn-outline-secondary" onClick=${stop}>Stop</button>`}
		${error && html`<${Problem} error=${error} />`}
		${failed.length > 0 && phase !== 'run' && html`<button type="button" class="btn btn-outline-primary" onClick=${save}>Save the refused rows with their errors</button>
			<div class="table-responsive mt-2" tabindex="0" role="region" aria-label="Refused rows"><table class="table table-sm"><thead><tr><th scope="col">Row</th><th scope="col">What is wrong</th></tr></thead>
				<tbody>${failed.slice(0, 20).map((r) => html`<tr><td>${r.line}</td><td>${r.error}</td></tr>`)}</tbody></table></div>
			${failed.length > 20 && html`<p class="small">The file has all ${counted(failed.length)}.</p>`}`}
		${phase === 'done' && html`<p class="mt-2"><a href=${address({ schema: t.schema, table: t.name })}>Look at ${t.name}</a></p>`}
	</section>`
}
