// Tokens: made for a role, and taken back.
import { html, useState } from '../shared/html.js'
import { request } from '../shared/api.js'
import { confirm, Dialog, Empty, Loading, Problem, toast, useLoad } from '../shared/layout.js'
import { admin, Ask, At, Grid, Head, objectOf, Secret } from './parts.js'
import { counted } from './value.js'

const SIZE = 50
const KINDS = { token: 'one token', session: 'a session', subject: 'all of a user', all: 'everybody’s' }
const TIMES = [[900, '15 minutes'], [3600, '1 hour'], [28800, '8 hours'], [86400, '1 day']]
const WHAT = { token: 'This token (paste all of it)', jti: 'A token by its number (jti)', session: 'A session (session_id)', sub: 'All tokens of a user (sub)', all: 'All tokens of everybody' }

export function Tokens() {
	const [page, setPage] = useState(1)
	const [dialog, set] = useState(null)
	const roles = useLoad(async () => (await admin('roles')).roles.map((r) => r.name), [])
	const load = useLoad(async () => {
		const answer = await request(`/auth/v1/admin/revocations?page=${page}&per_page=${SIZE}`)
		return { list: (await answer.json()).revocations, total: Number(answer.headers.get('X-Total-Count') || 0) }
	}, [page])
	const list = load.data?.list || []
	const close = () => set(null)
	return html`<div><${Head} title="Tokens" about="People get tokens by signing in. A program may be given one here; none can be shown again later.">
			<button type="button" class="btn btn-sm btn-primary" onClick=${() => set('issue')}>Issue a token</button>
			<button type="button" class="btn btn-sm btn-outline-danger" onClick=${() => set('revoke')}>Take back</button><//>
		<h2 class="h6">Taken back</h2>
		${load.error && html`<${Problem} error=${load.error} retry=${load.again} />`}
		${!load.data && !load.error && html`<${Loading} what="Reading what was taken back" />`}
		${load.data && !list.length && html`<${Empty} title="Nothing has been taken back"><p class="mb-0">A token that was lost, or that somebody should no longer have, is taken back above.</p><//>`}
		${list.length > 0 && html`<${Grid} name="Taken back" head=${['What', 'Which', 'Issued before', 'Taken back', 'Kept until']}
			rows=${list.map((r) => [KINDS[r.kind] || r.kind, html`<span class="font-monospace text-break">${r.value}</span>`, html`<${At} value=${r.issued_before} none="whenever" />`, html`<${At} value=${r.created_at} />`, html`<${At} value=${r.expires_at} />`])} />
			${load.data.total > SIZE && html`<nav class="d-flex gap-2 align-items-center mt-2" aria-label="Pages of the list"><span class="small me-auto">${counted((page - 1) * SIZE + 1)}–${counted((page - 1) * SIZE + list.length)} of ${counted(load.data.total)}</span>
				<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${page === 1} onClick=${() => setPage(page - 1)}>Previous</button>
				<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${page * SIZE >= load.data.total} onClick=${() => setPage(page + 1)}>Next</button></nav>`}`}
		${dialog === 'issue' && html`<${Issue} roles=${roles.data || []} onClose=${close} onMade=${(made) => set({ made })} />`}
		${dialog === 'revoke' && html`<${Revoke} onClose=${close} onDone=${() => { close(); load.again() }} />`}
		${dialog?.made && html`<${Dialog} title="The token" wide onClose=${close}>
			<p>For the role <b>${dialog.made.role}</b>, until <${At} value=${dialog.made.expires_at} />. Copy it now: it is not shown again.</p>
			<${Secret} label="Token" text=${dialog.made.token} />
			<p class="form-text mt-2 mb-0">To take it back: its number is <code class="text-break">${dialog.made.jti}</code></p><//>`}
	</div>`
}

const Issue = ({ roles, onClose, onMade }) => html`<${Ask} title="Issue a token" action="Issue" onClose=${onClose} send=${async (v) =>
	onMade(await admin('tokens', { method: 'POST', body: { role: v.role, ttl: Number(v.ttl), sub: v.sub || undefined, claims: objectOf(v.claims, 'The claims') } }))}>
	<label class="form-label w-100">Role <select class="form-select" name="role" required>${roles.map((r) => html`<option>${r}</option>`)}</select></label>
	<label class="form-label w-100">Good for <select class="form-select" name="ttl">${TIMES.map(([s, name]) => html`<option value=${s}>${name}</option>`)}</select></label>
	<label class="form-label w-100">For whom (claim sub) <input class="form-control" name="sub" autocomplete="off" /><span class="form-text">All tokens of one name can be taken back at once.</span></label>
	<label class="form-label w-100">Further claims, as JSON <textarea class="form-control font-monospace" name="claims" rows="3" spellcheck="false" placeholder=${'{"app_metadata": {"eid": 7}}'}></textarea></label><//>`

function Revoke({ onClose, onDone }) {
	const [what, set] = useState('token')
	return html`<${Ask} title="Take back" action="Take back" onClose=${onClose} send=${async (v) => {
		const all = what === 'all'
		if (all && !(await confirm({ title: 'Take back all tokens?', text: 'Everybody, you too, must sign in again, and programs need new tokens.', action: 'Take back all', danger: true, must: 'all' }))) throw new Error('Nothing was taken back')
		await admin('revocations', { method: 'POST', body: all ? { all: true } : { [what]: v.value.trim() } })
		toast('Taken back')
		onDone()
	}}>
		<label class="form-label w-100">What <select class="form-select" value=${what} onChange=${(e) => set(e.target.value)}>${Object.entries(WHAT).map(([k, name]) => html`<option value=${k}>${name}</option>`)}</select></label>
		${what !== 'all' && html`<label class="form-label w-100">Which ${what === 'token'
			? html`<textarea class="form-control font-monospace" name="value" rows="4" required spellcheck="false"></textarea>`
			: html`<input class="form-control font-monospace" name="value" required autocomplete="off" />`}</label>`}
		<p class="form-text mb-0">This cannot be undone. It is in force everywhere within seconds.</p><//>`
}
