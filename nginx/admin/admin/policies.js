// Which rows a role meets: the policies of rowgate.policy, each tried by the database before it is in force.
import { html, useState } from '../shared/html.js'
import { confirm, Empty, Loading, Problem, toast, useLoad } from '../shared/layout.js'
import { act, admin, Ask, Grid, Head, segment, Small } from './parts.js'

const VERBS = ['select', 'insert', 'update', 'delete']
const path = (p) => `policies/${[p.schema, p.table, p.role, p.name].map(segment).join('/')}`
const ofTable = (list, p) => list.filter((x) => x.schema === p.schema && x.table === p.table)
const Code = ({ text }) => (text ? html`<code class="text-break">${text}</code>` : html`<span class="text-body-secondary">–</span>`)

export function Policies({ model }) {
	const load = useLoad(() => admin('policies'), [])
	const roles = useLoad(async () => (await admin('roles')).roles, [])
	const [dialog, set] = useState(null)
	const list = load.data?.policies || []
	const closed = load.data?.closed || []
	const close = () => set(null)
	const remove = async (p) => {
		const last = ofTable(list, p).length === 1
		const text = last ? `It is the last policy of ${p.schema}.${p.table}: without it, every role sees and changes all rows that it is granted.` : `${p.role === '*' ? 'Roles' : `The role ${p.role}`} may then meet fewer rows of ${p.schema}.${p.table}.`
		if (await confirm({ title: `Delete the policy “${p.name}”?`, text, action: 'Delete', danger: true, must: last ? p.table : undefined })) act('Policy deleted', path(p), { method: 'DELETE' }, load.again)
	}
	return html`<div><${Head} title="Policies" about="GRANT gives tables and columns; a policy says which rows. A table without any is as granted. As soon as it has one, a role without a policy of its own meets no row of it.">
			<button type="button" class="btn btn-sm btn-primary" disabled=${!load.data} onClick=${() => set({})}>New policy</button><//>
		${load.error && html`<${Problem} error=${load.error} retry=${load.again} />`}
		${!load.data && !load.error && html`<${Loading} what="Reading policies" />`}
		${closed.length > 0 && html`<div class="alert alert-warning"><p class="mb-1"><b>Views that show nothing</b>, because they read a table with policies and have none themselves:</p>
			<ul class="mb-0">${closed.map((c) => html`<li>${c.schema}.${c.table} <small>reads ${c.reads}</small></li>`)}</ul></div>`}
		${load.data && !list.length && html`<${Empty} title="No policies: every role meets all rows that it is granted"><p class="mb-0">A first policy for a table closes it to all roles that have none.</p><//>`}
		${list.length > 0 && html`<${Grid} name="Policies" keys=${list.map(path)} head=${['Table', 'Role', { name: 'Policy', wide: true }, 'For', { name: 'Rows that are met', wide: true }, { name: 'A row must be', wide: true }, { name: 'Actions', hidden: true }]}
			rows=${list.map((p) => [`${p.schema}.${p.table}`, p.role === '*' ? html`<i>every role</i>` : p.role,
				html`${p.name}${p.comment && html`<br /><small class="text-body-secondary">${p.comment}</small>`}${!p.valid && html`<br /><span class="badge text-bg-danger">bad</span> <small class="text-danger-emphasis">${p.fault}</small>`}`,
				p.verbs.length === 4 ? 'all' : p.verbs.join(', '), html`<${Code} text=${p.using} />`, html`<${Code} text=${p.check} />`,
				html`<${Small} aria-label=${`Edit ${p.name}`} onClick=${() => set(p)}>Edit<//> <${Small} danger aria-label=${`Delete ${p.name}`} onClick=${() => remove(p)}>Delete<//>`])} />`}
		${dialog && html`<${PolicyForm} p=${dialog} list=${list} model=${model} roles=${(roles.data || []).map((r) => r.name)} onClose=${close} onSaved=${() => { close(); load.again() }} />`}
	</div>`
}

function PolicyForm({ p, list, model, roles, onClose, onSaved }) {
	const isNew = !p.name
	const [tried, setTried] = useState(null)
	const read = (v, data) => ({ verbs: data.getAll('verbs'), using: v.using.trim() || null, check: v.check.trim() || null, comment: v.comment })
	const named = (v) => (isNew ? { schema: v.schema.trim(), table: v.table.trim(), role: v.role.trim(), name: v.name.trim() } : { schema: p.schema, table: p.table, role: p.role, name: p.name })
	const check = async (e) => {
		const data = new FormData(e.target.form)
		const v = Object.fromEntries(data)
		setTried({ busy: true })
		try {
			setTried(await admin('policies/check', { method: 'POST', body: { ...named(v), ...read(v, data) } }))
		} catch (error) {
			setTried({ valid: false, fault: error.message })
		}
	}
	const send = async (v, data) => {
		const body = read(v, data)
		if (!body.verbs.length) throw Object.assign(new Error('A policy is for at least one of select, insert, update and delete'), { code: '' })
		if (isNew) {
			const which = named(v)
			const first = !ofTable(list, which).length
			if (first && !(await confirm({ title: `The first policy of ${which.table}`, text: `${which.schema}.${which.table} is then closed to every role without a policy of its own${which.role === '*' ? '' : `: to all but ${which.role}`}.`, action: 'Make it', danger: true }))) throw Object.assign(new Error('Nothing was made'), { code: '' })
			await admin('policies', { method: 'POST', body: { ...which, ...body } })
		} else await admin(path(p), { method: 'PUT', body })
		toast(isNew ? 'Policy made' : 'Policy changed')
		onSaved()
	}
	return html`<${Ask} title=${isNew ? 'New policy' : `${p.schema}.${p.table}: ${p.name}`} wide action=${isNew ? 'Make' : 'Save'} onClose=${onClose} send=${send}>
		${isNew && html`<div class="row g-2">
			<label class="form-label col-sm-6">Database <input class="form-control" name="schema" required list="policy-schemas" defaultValue=${model?.schema} /></label>
			<label class="form-label col-sm-6">Table <input class="form-control" name="table" required list="policy-tables" autocomplete="off" /></label>
			<label class="form-label col-sm-6">Role <input class="form-control" name="role" required list="policy-roles" autocomplete="off" /><span class="form-text">* is every role</span></label>
			<label class="form-label col-sm-6">Name <input class="form-control" name="name" required autocomplete="off" placeholder="own rows" /></label></div>
			<datalist id="policy-schemas">${(model?.schemas || []).map((s) => html`<option value=${s} />`)}</datalist>
			<datalist id="policy-tables">${(model?.tables || []).map((t) => html`<option value=${t.name} />`)}</datalist>
			<datalist id="policy-roles">${roles.map((r) => html`<option value=${r} />`)}<option value="*" /></datalist>`}
		<fieldset class="mb-2"><legend class="form-label fs-6 m-0">For</legend><div class="d-flex flex-wrap gap-3">${VERBS.map((v) => html`<label class="form-check"><input type="checkbox" class="form-check-input" name="verbs" value=${v} defaultChecked=${isNew || p.verbs.includes(v)} /> ${v}</label>`)}</div></fieldset>
		<label class="form-label w-100">Rows that are met (SQL) <textarea class="form-control font-monospace" name="using" rows="3" spellcheck="false" defaultValue=${p.using || ''} placeholder="owner = :user"></textarea>
			<span class="form-text">As behind WHERE. :user, :role and :claims.app_metadata.team are of the token; TRUE is all rows.</span></label>
		<label class="form-label w-100">What a row must be after a change (SQL; empty: the same) <textarea class="form-control font-monospace" name="check" rows="2" spellcheck="false" defaultValue=${p.check || ''}></textarea></label>
		<label class="form-label w-100">Comment <input class="form-control" name="comment" autocomplete="off" defaultValue=${p.comment || ''} /></label>
		<div class="d-flex flex-wrap gap-2 align-items-center"><button type="button" class="btn btn-sm btn-outline-secondary" disabled=${tried?.busy} onClick=${check}>Try it</button>
			<span role="status">${tried && !tried.busy && (tried.valid ? html`<span class="text-success-emphasis">The database takes it.</span>` : html`<span class="text-danger-emphasis">${tried.fault}</span>`)}</span></div><//>`
}
