// What the database would do for the query of a list, in the words of its EXPLAIN.
import { html } from '../shared/html.js'
import { request, tablePath } from '../shared/api.js'
import { Dialog, Loading, Problem, useLoad } from '../shared/layout.js'

export function QueryPlan({ t, pairs, onClose }) {
	const load = useLoad(async (signal) => (await request(tablePath(t.name, pairs), { schema: t.schema, signal, headers: { Accept: 'application/vnd.pgrst.plan+text' } })).text(), [])
	return html`<${Dialog} title="Query plan" wide onClose=${onClose}>
		<p class="small text-break font-monospace">GET ${decodeURIComponent(tablePath(t.name, pairs))}</p>
		${load.loading && html`<${Loading} what="Asking the database" />`}
		${load.error && html`<${Problem} error=${load.error} />`}
		${load.error?.status === 406 && html`<p class="m-0">This instance shows plans when its settings say <code>db-plan-enabled = true</code> (rowgate.conf, then Reload on the page Operation).
			Where policies hide rows from your role no plan is given: it would tell how many there are.</p>`}
		${load.data !== undefined && html`<pre class="plan border rounded p-2 m-0" tabindex="0" role="region" aria-label="Plan">${load.data}</pre>`}<//>`
}
