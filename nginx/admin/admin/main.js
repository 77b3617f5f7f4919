// The data pages at /admin/: a list of what the signed-in role may see, and beside it what the address asks for.
import { html, useEffect, useState } from '../shared/html.js'
import { forgetDocuments, json } from '../shared/api.js'
import { Empty, Loading, mount, Problem, SignInPage, useLoad } from '../shared/layout.js'
import { loadModel } from './model.js'
import { List } from './list.js'
import { NewRecord, Record } from './record.js'
import { address, go, useRoute } from './route.js'
import { useViewing, ViewingBanner } from './viewing.js'
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

// The pages about the instance itself, for administrators.
const INSTANCE = {
	'!users': ['Users', () => import('./users.js')],
	'!roles': ['Roles', () => import('./roles.js')],
	'!policies': ['Policies', () => import('./policies.js')],
	'!keys': ['Keys', () => import('./keys.js')],
	'!tokens': ['Tokens', () => import('./tokens.js')],
	'!operator': ['Operation', () => import('./operator.js'), 'Operator'],
}

// Whether the session is an administrator's: only the server knows which role is.
const useAdmin = (user) => useLoad(async () => {
	try {
		await json('/auth/v1/admin/users?per_page=1')
		return true
	} catch (error) {
		if (error.status === 403 || error.status === 401) return false
		throw error
	}
}, [user.id, user.role]).data

function Data({ user }) {
	const route = useRoute()
	const page = INSTANCE[route.schema]
	const wanted = page ? undefined : route.schema || undefined
	const [turn, again] = useState(0)
	useEffect(() => {
		const anew = () => again((n) => n + 1)
		addEventListener('rowgate:model', anew)
		return () => removeEventListener('rowgate:model', anew)
	}, [])
	const viewing = useViewing()
	const load = useLoad(() => loadModel(wanted), [wanted, user.id, user.role, turn])
	const administers = useAdmin(user)
	const model = load.data
	const t = model && model.schema === (wanted || model.schema) && model.byName[route.table]
	const place = `${route.schema}/${route.table}/${route.action}/${viewing ? `${viewing.role} ${viewing.sub}` : ''}`
	useEffect(() => {
		document.title = `Rowgate: ${route.table || page?.[0].toLowerCase() || 'data'}`
	}, [place])

	let content
	if (page) content = html`<${Later} key=${route.schema} load=${page[1]} name=${page[2] || page[0]} me=${user} model=${model} />`
	else if (load.error) content = html`<${Problem} error=${load.error} retry=${() => { forgetDocuments(); load.again() }} />${wanted && html`<a href="#">What there is</a>`}`
	else if (!model || (wanted && model.schema !== wanted)) content = html`<${Loading} what="Reading what you may see" />`
	else if (!route.table) content = html`<${Home} model=${model} route=${route} />`
	else if (route.action === 'call') {
		const r = model.routines.find((x) => x.name === route.table)
		content = r ? html`<${Later} key=${place} load=${() => import('./routines.js')} name="Routine" model=${model} r=${r} />` : html`<${Missing} what=${route.table} />`
	} else if (!t) content = html`<${Missing} what=${route.table} />`
	else if ((route.action === 'new' || route.action === 'import') && !t.can.insert) content = html`<${Empty} title=${`Your role may not add rows to ${t.name}`}><p>An administrator grants it in the database: <code>GRANT INSERT ON ${t.schema}.${t.name} TO ${model.role}</code></p>
		<a href=${address({ schema: t.schema, table: t.name })}>Its rows</a><//>`
	else if (route.action === 'new') content = html`<${NewRecord} key=${place} model=${model} t=${t} route=${route} />`
	else if (route.action === 'row') content = html`<${Record} key=${place} model=${model} t=${t} route=${route} />`
	else if (route.action === 'import') content = html`<${Later} key=${place} load=${() => import('./import.js')} name="Import" t=${t} />`
	else if (route.action === 'chart') content = html`<${Later} key=${place} load=${() => import('./chart.js')} name="TableChart" model=${model} t=${t} route=${route} />`
	else content = html`<${List} key=${place} model=${model} t=${t} route=${route} />`

	const banner = viewing && html`<${ViewingBanner} as=${viewing} />`
	return html`<div class="admin">
		<${Side} model=${model} route=${route} administers=${administers} />
		<div class="content">${banner}${content}</div>
	</div>`
}

const Missing = ({ what }) => html`<${Empty} title=${`No ${what} here`}><p>It does not exist, or your role may not see it.</p><a href="#">What there is</a><//>`

function Home({ model, route }) {
	const tables = model.tables.filter((t) => t.can.select || t.can.insert)
	const words = route.pairs.find(([k]) => k === 'q')?.[1] || ''
	if (!tables.length && !model.routines.length)
		return html`<${Empty} title="Nothing is granted to your role here"><p>An administrator grants it in the database: <code>GRANT SELECT ON ${model.schema}.* TO ${model.role}</code></p><//>`
	const look = (e) => {
		e.preventDefault()
		const q = e.target.elements.q.value.trim()
		go({ schema: model.schema, pairs: q ? [['q', q]] : [] })
	}
	return html`<div><div class="d-flex flex-wrap gap-2 align-items-center mb-3"><h1 class="h4 m-0 me-auto text-break">${model.schema}</h1>
			<form class="d-flex gap-1 search-all" role="search" onSubmit=${look}><input class="form-control form-control-sm" type="search" name="q" aria-label="Search all tables" placeholder="Search all tables" key=${words} defaultValue=${words} />
				<button class="btn btn-sm btn-outline-secondary">Search</button></form></div>
		${words && html`<${Later} load=${() => import('./everywhere.js')} name="Everywhere" model=${model} words=${words} />`}
		${!words && html`<div class="tiles">${tables.map((t) => html`<a class="card" href=${address({ schema: t.schema, table: t.name })}><div class="card-body py-2"><h2 class="h6 mb-1 text-break">${t.name}${t.view && html` <small class="text-body-secondary fw-normal">view</small>`}</h2>
			<p class="small text-body-secondary m-0">${t.comment || `${t.columns.length} columns`}</p></div></a>`)}</div>`}</div>`
}

const wide = matchMedia('(min-width: 992px)')

function Side({ model, route, administers }) {
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
			${administers && html`<h2 class="h6 mt-3">This instance</h2>
				<ul>${Object.entries(INSTANCE).map(([at, [name]]) => html`<li><a href=${`#${at}`} aria-current=${route.schema === at ? 'page' : null}>${name}</a></li>`)}</ul>`}
			${model && html`<p class="small text-body-secondary mt-3">Your role: ${model.role}</p>`}
		</nav>
	</details>`
}

mount('/admin/', Admin)
