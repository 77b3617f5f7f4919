// What this instance holds for the caller: by its own description of itself, with how many rows there are.
import { html, useEffect, useState } from '../shared/html.js'
import { countRows, openapi } from '../shared/api.js'
import { Empty, Loading, SignInPage, useLoad } from '../shared/layout.js'
import { Failure } from './parts.js'
import { number } from './format.js'

const tables = (document) =>
	Object.values(document.components?.schemas || {})
		.filter((s) => s['x-table'] && s['x-selectable'] !== false)
		.map((s) => ({ name: s['x-table'], view: s['x-view'], comment: s.description || '' }))
		.sort((a, b) => a.name.localeCompare(b.name))

async function contents() {
	const first = await openapi()
	const names = first['x-databases'] || []
	const lists = await Promise.all(names.map(async (name) => tables(await openapi(name))))
	return names.map((name, i) => ({ name, tables: lists[i] })).filter((s) => s.tables.length)
}

// How many rows: roughly, when they are many. A few questions at a time.
let asked = Promise.resolve()
function Count({ schema, table }) {
	const [n, set] = useState(null)
	useEffect(() => {
		const stop = new AbortController()
		asked = asked.then(() => (stop.signal.aborted ? null : countRows(table, [], { schema, count: 'estimated', signal: stop.signal }).then(set, () => set(undefined))))
		return () => stop.abort()
	}, [schema, table])
	return html`<span class="text-nowrap">${n === null ? '…' : n === undefined ? '' : number(n)}</span>`
}

const Tile = ({ to, title, children }) => html`<div class="col-sm-6 col-lg-3"><a class="card h-100 tile" href=${to}><div class="card-body">
	<h2 class="h6">${title}</h2><p class="m-0 small">${children}</p></div></a></div>`

const Holding = ({ schema, list }) => html`<section class="mt-4">
	<h2 class="h5">${schema}</h2>
	<div class="table-responsive"><table class="table table-sm holdings">
		<caption class="visually-hidden">Tables of ${schema}</caption>
		<thead><tr><th scope="col">Table</th><th scope="col">What it holds</th><th scope="col" class="text-end">Rows</th></tr></thead>
		<tbody>${list.map((t) => html`<tr key=${t.name}>
			<th scope="row" class="font-monospace fw-normal"><a href=${`/admin/#${encodeURIComponent(schema)}/${encodeURIComponent(t.name)}`}>${t.name}</a></th>
			<td>${t.comment}${t.view && html` <span class="badge text-bg-secondary">view</span>`}</td>
			<td class="text-end"><${Count} schema=${schema} table=${t.name} /></td></tr>`)}</tbody>
	</table></div>
</section>`

export function Overview({ user }) {
	const { data, error, loading, again } = useLoad(contents, [user?.id, user?.role])
	const tiles = html`<div class="row g-3 mt-0">
		<${Tile} to="#/wages" title="Wages">What people earn, by division, job and year; how each salary grew.<//>
		<${Tile} to="#/incidents" title="Incidents">How fast units came, what happened when and where.<//>
		<${Tile} to="/admin/" title="All data">Look, filter, edit, import and export.<//>
		<${Tile} to="/docs/" title="API">Every request, to read and to try.<//>
	</div>`
	if (!data && loading) return html`${tiles}<${Loading} what="Asking what is here" />`
	if (error?.code === 'PGRST126')
		return html`${tiles}<${Empty} title="This instance does not describe itself"><p class="mb-0">Its setting <code>openapi-mode</code> is <code>disabled</code>, so the tables are not listed here. The pages above work all the same.</p><//>`
	if (error) return html`${tiles}<div class="mt-4"><${Failure} error=${error} again=${again} what="The tables of this instance" /></div>`
	if (!data.length && !user) return html`<${SignInPage} why="This instance shows nothing to visitors: sign in to see your data." />`
	return html`<p class="text-body-secondary">${user ? html`What the role <b>${user.role}</b> may read.` : 'What everybody may read. Sign in to see more.'}</p>
		${tiles}
		${data.map((s) => html`<${Holding} key=${s.name} schema=${s.name} list=${s.tables} />`)}
		${!data.length && html`<${Empty} title="Your role may read nothing yet"><p class="mb-0">Ask whoever runs this instance to grant <code>SELECT</code> to the role ${user.role}.</p><//>`}`
}
