// The form that asks as whom to look at the data.
import { html } from '../shared/html.js'
import { Ask, objectOf } from './parts.js'
import { viewAs } from './viewing.js'

export const ViewAsForm = ({ role, onClose }) => html`<${Ask} title=${`View as ${role}`} action="View" onClose=${onClose} send=${async (v) => {
	await viewAs({ role, sub: v.sub || undefined, claims: objectOf(v.claims, 'The claims') })
	onClose()
	location.hash = ''
}}>
	<p>The pages then show what a user of this role sees: tables, columns, rows.</p>
	<label class="form-label w-100">User (claim sub) <input class="form-control" name="sub" autocomplete="off" /></label>
	<label class="form-label w-100">Further claims, as JSON <textarea class="form-control font-monospace" name="claims" rows="3" spellcheck="false" placeholder=${'{"app_metadata": {"eid": 7}}'}></textarea>
		<span class="form-text">Policies may ask for them.</span></label><//>`
