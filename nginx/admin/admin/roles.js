// The roles that tokens may name, with what each may do. GRANT is the database's own, so rights are shown, not changed.
import { html, useState } from '../shared/html.js'
import { Dialog, Empty, Loading, Problem, toast, useLoad } from '../shared/layout.js'
import { admin, Ask, Grid, Head, Small } from './parts.js'
import { ViewAsForm } from './viewas.js'

const VERBS = ['select', 'insert', 'update', 'delete']
const count = (n, what) => `${n} ${what}${n === 1 ? '' : 's'}`

export function Roles({ model }) {
	const load = useLoad(async () => (await admin('roles')).roles, [])
	const [dialog, set] = useState(null)
	const close = () => set(null)
	return html`<div><${Head} title="Roles" about="A token names a role of the database. What a role may do is GRANT, there; which rows it meets, the policies.">
			<button type="button" class="btn btn-sm btn-primary" onClick=${() => set({ add: true })}>New role</button><//>
		${load.error && html`<${Problem} error=${load.error} retry=${load.again} />`}
		${!load.data && !load.error && html`<${Loading} what="Reading roles" />`}
		${load.data && !load.data.length && html`<${Empty} title="No roles here"><p>Make one, then grant it something in the database.</p><//>`}
		${load.data?.length > 0 && html`<${Grid} name="Roles" keys=${load.data.map((r) => r.name)} head=${['Role', 'For', 'May use', { name: 'Actions', hidden: true }]}
			rows=${load.data.map((r) => [html`<b>${r.name}</b>`,
				html`${r.admin && html`<span class="badge text-bg-primary">administrators</span>`}${r.anonymous && html`<span class="badge text-bg-secondary">visitors</span>`}`,
				`${count(r.tables.length, 'table')}${r.routines.length ? `, ${count(r.routines.length, 'routine')}` : ''}`,
				html`<${Small} aria-label=${`Rights of ${r.name}`} onClick=${() => set({ role: r })}>Rights<//> <${Small} aria-label=${`View as ${r.name}`} onClick=${() => set({ view: r.name })}>View as<//>`])} />`}
		${dialog?.add && html`<${Ask} title="New role" action="Make" onClose=${close} send=${async ({ name }) => {
			const made = await admin('roles', { method: 'POST', body: { name } })
			toast(`Role ${made.name} made`)
			load.again()
			set({ role: made })
		}}><label class="form-label w-100">Name <input class="form-control" name="name" required maxlength="32" pattern="[A-Za-z0-9_.\\-]+" autocomplete="off" />
			<span class="form-text">Letters, digits, and _ . - ; at first it may do nothing.</span></label><//>`}
		${dialog?.view && html`<${ViewAsForm} role=${dialog.view} onClose=${close} />`}
		${dialog?.role && html`<${Rights} role=${dialog.role} schema=${model?.schema} onClose=${close} />`}
	</div>`
}

// Which of a table's columns, or rows, a right is for.
function limits(t, verb) {
	const columns = t.columns?.[verb]
	const rows = t.policies?.includes(verb)
	return [columns && `${columns.length === 1 ? 'column' : 'columns'} ${columns.join(', ')}`, rows && 'rows by policy'].filter(Boolean).join('; ')
}

function Rights({ role, schema, onClose }) {
	return html`<${Dialog} title=${`What ${role.name} may do`} wide onClose=${onClose}>
		${!role.tables.length && !role.routines.length && html`<p>Nothing yet. In the database, for example:</p>
			<pre class="border rounded p-2" tabindex="0">GRANT SELECT ON ${schema || 'wages'}.* TO '${role.name}';</pre>`}
		${role.tables.length > 0 && html`<${Grid} name="Tables" head=${['Table', ...VERBS]} rows=${role.tables.map((t) => [html`<span class="text-break">${t.schema}.${t.table}</span>${t.view && html` <small class="text-body-secondary">view</small>`}`,
			...VERBS.map((v) => (t.rights.includes(v) ? html`<span aria-label="yes">✓</span> <small class="text-body-secondary">${limits(t, v)}</small>` : html`<span class="text-body-secondary">–</span>`))])} />`}
		${role.routines.length > 0 && html`<h3 class="h6 mt-3">Routines</h3><ul class="mb-0">${role.routines.map((r) => html`<li>${r.schema}.${r.name}</li>`)}</ul>`}<//>`
}
