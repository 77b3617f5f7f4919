// The data pages at /admin/: a list of what the signed-in role may see, and beside it what the address asks for.
import { html, useEffect, useRef, useState } from '../shared/html.js'
import { forgetDocuments } from '../shared/api.js'
import { Empty, Loading, mount, Problem, SignInPage, useLoad } from '../shared/layout.js'
import { loadModel } from './model.js'
import { List } from './list.js'
import { NewRecord, Record } from './record.js'
import { address, useRoute } from './route.js'
import './admin.css'

function Admin({ user }) {
	if (!user) return html`<${SignInPage} />`
	return html`<${Data} user=${user} />`
}

// A part of the pages that is loaded when it is first opened.
function Later({ load, name, ...props }) {
	const part = useLoad(load, [name])
	if (part.error) return html`<${Problem} error=${part.error} retry=${part.again} />`
	if (!part.data) return html`<${Loading} />`
	const Part = part.data[name]
	return html`<${Part} ...${props} />`
}

function Data({ user }) {
	const route = useRoute()
	const pages = ['!users', '!operator']
	const wanted = pages.includes(route.schema) ? undefined : route.schema || undefined
	const [turn, again] = useState(0)
	useEffect(() => {
		const anew = () => again((n) => n + 1)
		addEventListener('rowgate:model', anew)
		return () => removeEventListener('rowgate:model', anew)
	}, [])
	const load = useLoad(() => loadModel(wanted), [wanted, user.id, user.role, turn])
	const main = useRef()
	const model = load.data
	const t = model && model.schema === (wanted || model.schema) && model.byName[route.table]
	const place = `${route.schema}/${route.table}/${route.action}`
	useEffect(() => {
		document.title = `Rowgate: ${route.table || 'data'}`
	}, [place])

	let content
	if (route.schema === '!users') content = html`<${Later} load=${() => import('./users.js')} name="Users" me=${user} />`
	else if (route.schema === '!operator') content = html`<${Later} load=${() => import('./operator.js')} name="Operator" />`
	else if (load.error) content = html`<${Problem} error=${load.error} retry=${() => { forgetDocuments(); load.again() }} />`
	else if (!model || (wanted && model.schema !== wanted)) content = html`<${Loading} what="Reading what you may see" />`
	else if (!route.table) content = html`<${Home} model=${model} />`
	else if (route.action === 'call') {
		const r = model.routines.find((x) => x.name === route.table)
		content = r ? html`<${Later} key=${place} load=${() => import('./routines.js')} name="Routine" model=${model} r=${r} />` : html`<${Missing} what=${route.table} />`
	} else if (!t) content = html`<${Missing} what=${route.table} />`
	else if (route.action === 'new') content = html`<${NewRecord} key=${place} model=${model} t=${t} route=${route} />`
	else if (route.action === 'row') content = html`<${Record} key=${place} model=${model} t=${t} route=${route} />`
	else if (route.action === 'import') content = html`<${Later} key=${place} load=${() => import('./import.js')} name="Import" t=${t} />`
	else content = html`<${List} key=${place} model=${model} t=${t} route=${route} />`

	return html`<div class="admin">
		<${Side} model=${model} route=${route} user=${user} />
		<div class="content" ref=${main}>${content}</div>
	</div>`
}

const Missing = ({ what }) => html`<${Empty} title=${`No ${what} here`}><p>It does not exist, or your role may not see it.</p><a href="#">What there is</a><//>`

function Home({ model }) {
	const tables = model.tables.filter((t) => t.can.select || t.can.insert)
	if (!tables.length && !model.routines.length)
		return html`<${Empty} title="Nothing is granted to your role here"><p>An administrator grants it in the database: <code>GRANT SELECT ON ${model.schema}.* TO ${model.role}</code></p><//>`
	return html`<div><h1 class="h4">${model.schema}</h1>
		<div class="tiles">${tables.map((t) => html`<a class="card" href=${address({ schema: t.schema, table: t.name })}><div class="card-body py-2"><h2 class="h6 mb-1 text-break">${t.name}</h2>
			<p class="small text-body-secondary m-0">${t.comment || `${t.columns.length} columns`}</p></div></a>`)}</div></div>`
}

const wide = matchMedia('(min-width: 992px)')

function Side({ model, route }) {
	const [text, set] = useState('')
	const [open, setOpen] = useState(wide.matches)
	useEffect(() => {
		const fit = () => setOpen(wide.matches)
		wide.addEventListener('change', fit)
		return () => wide.removeEventListener('change', fit)
	}, [])
	const fits = (x) => x.name.toLowerCase().includes(text.toLowerCase())
	const here = (schema, table) => (route.schema === schema && route.table === table ? 'page' : null)
	// On a narrow screen the list is in the way of what was chosen from it.
	const chosen = () => wide.matches || setOpen(false)
	return html`<details class="side" open=${open} onToggle=${(e) => setOpen(e.target.open)}>
		<summary>Tables</summary>
		<nav aria-label="Tables" onClick=${(e) => e.target.closest('a') && chosen()}>
			${model && html`
				${model.schemas.length > 1 && html`<label class="visually-hidden" for="schema">Database</label><select id="schema" class="form-select form-select-sm mb-2" value=${model.schema} onChange=${(e) => (location.hash = address({ schema: e.target.value }))}>${model.schemas.map((s) => html`<option>${s}</option>`)}</select>`}
				${model.tables.length > 8 && html`<input class="form-control form-control-sm mb-2" type="search" aria-label="Find a table" placeholder="Find a table" value=${text} onInput=${(e) => set(e.target.value)} />`}
				<ul>${model.tables.filter(fits).map((t) => html`<li><a href=${address({ schema: t.schema, table: t.name })} aria-current=${here(t.schema, t.name)}>${t.name}</a></li>`)}</ul>
				${model.routines.length > 0 && html`<h2 class="h6 mt-3">Routines</h2><ul>${model.routines.filter(fits).map((r) => html`<li><a href=${address({ schema: model.schema, table: r.name, action: 'call' })} aria-current=${here(model.schema, r.name)}>${r.name}</a></li>`)}</ul>`}`}
			<h2 class="h6 mt-3">This instance</h2>
			<ul><li><a href="#!users" aria-current=${route.schema === '!users' ? 'page' : null}>Users</a></li><li><a href="#!operator" aria-current=${route.schema === '!operator' ? 'page' : null}>Operation</a></li></ul>
			${model && html`<p class="small text-body-secondary mt-3">Your role: ${model.role}</p>`}
		</nav>
	</details>`
}

mount('/admin/', Admin)
