// Incident documents as files, dropped or chosen; each is taken or refused by itself.
import { html, useRef, useState } from '../shared/html.js'
import { json } from '../shared/api.js'
import { SignInPage } from '../shared/layout.js'
import { named, size } from './format.js'

const AT_ONCE = 2
const words = { inserted: 'is new', updated: 'was updated', unchanged: 'was there already' }
const colours = { waiting: 'secondary', sending: 'secondary', done: 'success', failed: 'danger' }

// JSON is looked at here first, so that a wrong file is named without being sent.
async function send(file) {
	const text = await file.text()
	try {
		JSON.parse(text)
	} catch (error) {
		throw { message: 'This is no JSON file', details: error.message, hint: 'Choose the incident documents themselves, one or an array of them in each file.' }
	}
	return json('/rest/v1/rpc/ingest_incident', { method: 'POST', schema: 'incidents', body: text, headers: { 'Content-Type': 'application/json' } })
}

const Result = ({ job, again }) => html`<li class="list-group-item">
	<div class="d-flex gap-2 align-items-baseline flex-wrap"><b class="text-break">${job.file.name}</b><small class="text-body-secondary">${size(job.file.size)}</small>
		<span class=${`badge ms-auto text-bg-${colours[job.state]}`}>${job.state}</span></div>
	${job.state === 'done' && html`<ul class="mb-0 ps-3">${job.result.map((r) => html`<li><a href=${`#/incidents/incident?number=${encodeURIComponent(r.incident_number)}`}>${r.incident_number}</a>
		${' '}${words[r.action] || named(r.action)}: ${r.apparatus} units, ${r.unit_status} reports</li>`)}</ul>`}
	${job.state === 'failed' && html`<div class="text-danger-emphasis"><p class="mb-0">${job.error.message}</p>
		${job.error.details && html`<p class="mb-0 small">${String(job.error.details)}</p>`}${job.error.hint && html`<p class="mb-0 small">${job.error.hint}</p>`}
		<button type="button" class="btn btn-sm btn-outline-secondary mt-1" onClick=${again}>Send again</button></div>`}
</li>`

export function Upload({ user }) {
	const [jobs, setJobs] = useState([])
	const [over, setOver] = useState(false)
	const queue = useRef({ waiting: [], running: 0, next: 0 }).current
	if (!user) return html`<${SignInPage} why="Sign in to upload incident documents." />`

	const set = (id, change) => setJobs((list) => list.map((j) => (j.id === id ? { ...j, ...change } : j)))
	const work = async () => {
		if (queue.running >= AT_ONCE || !queue.waiting.length) return
		const job = queue.waiting.shift()
		queue.running++
		set(job.id, { state: 'sending' })
		try {
			set(job.id, { state: 'done', result: await send(job.file) })
		} catch (error) {
			const refused = error.status === 403 ? { hint: `The role ${user.role} may not call ingest_incident. Ask whoever runs this instance to grant it.` } : {}
			set(job.id, { state: 'failed', error: { message: error.message, details: error.details, hint: error.hint, ...refused } })
		}
		queue.running--
		work()
	}
	const enqueue = (list) => {
		queue.waiting.push(...list)
		for (let i = 0; i < AT_ONCE; i++) work()
	}
	const take = (files) => {
		const list = [...files].map((file) => ({ id: queue.next++, file, state: 'waiting' }))
		setJobs((old) => [...list, ...old])
		enqueue(list)
	}
	const again = (job) => {
		set(job.id, { state: 'waiting' })
		enqueue([job])
	}
	const drag = (on) => (e) => {
		e.preventDefault()
		setOver(on)
	}
	const drop = (e) => {
		e.preventDefault()
		setOver(false)
		take(e.dataTransfer.files)
	}
	const count = (state) => jobs.filter((j) => j.state === state).length
	return html`<p>Each file holds one incident document, or an array of them, as JSON. A document that is there already changes nothing, so sending twice does no harm.</p>
		<label class=${`drop ${over ? 'over' : ''}`} onDragEnter=${drag(true)} onDragOver=${drag(true)} onDragLeave=${drag(false)} onDrop=${drop}>
			<span class="h6">Drop files here, or choose them</span>
			<input type="file" class="form-control" multiple accept=".json,application/json" aria-label="Incident documents"
				onChange=${(e) => { take(e.target.files); e.target.value = '' }} />
		</label>
		<p role="status" class="my-2">${jobs.length > 0 && `${count('done')} of ${jobs.length} files taken${count('failed') ? `, ${count('failed')} refused` : ''}.`}</p>
		${jobs.length
			? html`<ul class="list-group" aria-label="Files">${jobs.map((job) => html`<${Result} key=${job.id} job=${job} again=${() => again(job)} />`)}</ul>`
			: html`<p class="text-body-secondary">What becomes of each file will stand here.</p>`}`
}
