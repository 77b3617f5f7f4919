// Seeing the data as another role: requests to /rest/v1 take a token of that role, which the administrator's own session
// has made and makes anew when it runs out.
import { html, useEffect, useState } from '../shared/html.js'
import { forgetDocuments, json, standIn } from '../shared/api.js'
import { onSession } from '../shared/session.js'

const MARGIN = 20000
let now = null

const changed = () => {
	forgetDocuments()
	dispatchEvent(new Event('rowgate:viewas'))
	dispatchEvent(new Event('rowgate:model'))
}

async function next(as) {
	const { token, expires_at: until } = await json('/auth/v1/admin/tokens', { method: 'POST', body: { role: as.role, sub: as.sub, claims: as.claims } })
	return { ...as, token, until: Date.parse(until) }
}

async function bearer() {
	if (now && Date.now() > now.until - MARGIN) now = await next(now)
	return now.token
}

// as: { role, sub, claims, name }
export async function viewAs(as) {
	now = await next(as)
	standIn(bearer)
	changed()
}

export function stopViewing() {
	now = null
	standIn(null)
	changed()
}
onSession((user) => !user && now && stopViewing())

export function useViewing() {
	const [as, set] = useState(now)
	useEffect(() => {
		const turn = () => set(now)
		addEventListener('rowgate:viewas', turn)
		return () => removeEventListener('rowgate:viewas', turn)
	}, [])
	return as
}

export const ViewingBanner = ({ as }) => html`<div class="alert alert-warning py-2 d-flex flex-wrap gap-2 align-items-center" role="status">
		<span class="me-auto">You see what <b>${as.name || as.role}</b> sees. What you change is changed with the rights of ${as.name ? 'that user' : 'that role'}.</span>
		<button type="button" class="btn btn-sm btn-warning" onClick=${stopViewing}>Stop</button></div>`
