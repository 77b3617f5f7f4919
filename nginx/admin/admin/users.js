// Users of /auth/v1, for administrators.
import { html, useState } from '../shared/html.js'
import { confirm, Dialog, Empty, Loading, Problem, toast, useLoad } from '../shared/layout.js'
import { act, admin, Ask, At, Grid, Head, objectOf, Small } from './parts.js'
import { viewAs } from './viewing.js'

const SIZE = 50

export function Users({ me }) {
	const [page, setPage] = useState(1)
	const [dialog, set] = useState(null)
	const load = useLoad(async () => (await admin(`users?page=${page}&per_page=${SIZE}`)).users, [page])
	const list = load.data || []
	const remove = async (u) =>
		(await confirm({ title: `Delete ${u.email}?`, text: 'The user and all their sessions end.', action: 'Delete', danger: true, must: u.email })) && act('User deleted', `users/${u.id}`, { method: 'DELETE' }, load.again)
	const banned = (u) => u.banned_until && new Date(u.banned_until) > new Date()
	const ban = (u) => act(banned(u) ? 'May sign in again' : 'Banned', `users/${u.id}`, { method: 'PUT', body: { ban_duration: banned(u) ? 'none' : '876000h' } }, load.again)
	const view = async (u) => {
		try {
			await viewAs({ role: u.role, sub: u.id, name: u.email, claims: { email: u.email, app_metadata: u.app_metadata || {}, user_metadata: u.user_metadata || {} } })
			location.hash = ''
		} catch (error) {
			toast([error.message, error.hint].filter(Boolean).join('. '), 'danger')
		}
	}
	return html`<div><${Head} title="Users"><button type="button" class="btn btn-sm btn-primary" onClick=${() => set({})}>New user</button><//>
		${load.error && html`<${Problem} error=${load.error} retry=${load.again} />`}
		${!load.data && !load.error && html`<${Loading} what="Reading users" />`}
		${load.data && !list.length && html`<${Empty} title="No users here" />`}
		${list.length > 0 && html`<${Grid} name="Users" keys=${list.map((u) => u.id)} head=${['Email', 'Role', 'Last sign-in', 'Made', { name: 'Actions', hidden: true }]}
			rows=${list.map((u) => [html`<span class="text-break">${u.email}</span>${banned(u) && html` <span class="badge text-bg-danger">banned</span>`}`, u.role, html`<${At} value=${u.last_sign_in_at} none="never" />`, html`<${At} value=${u.created_at} />`,
				html`<${Small} aria-label=${`Edit ${u.email}`} onClick=${() => set(u)}>Edit<//>
					<${Small} aria-label=${`Sessions of ${u.email}`} onClick=${() => set({ sessions: u })}>Sessions<//>
					${u.id !== me.id && html`<${Small} aria-label=${`View as ${u.email}`} onClick=${() => view(u)}>View as<//>
						<${Small} aria-label=${`${banned(u) ? 'Let in' : 'Ban'} ${u.email}`} onClick=${() => ban(u)}>${banned(u) ? 'Let in' : 'Ban'}<//>
						<${Small} danger aria-label=${`Delete ${u.email}`} onClick=${() => remove(u)}>Delete<//>`}`])} />`}
		${(page > 1 || list.length === SIZE) && html`<nav class="d-flex gap-2 mt-2" aria-label="Pages of the list"><button type="button" class="btn btn-sm btn-outline-secondary" disabled=${page === 1} onClick=${() => setPage(page - 1)}>Previous</button><button type="button" class="btn btn-sm btn-outline-secondary" disabled=${list.length < SIZE} onClick=${() => setPage(page + 1)}>Next</button></nav>`}
		${dialog?.sessions && html`<${Sessions} user=${dialog.sessions} onClose=${() => set(null)} />`}
		${dialog && !dialog.sessions && html`<${UserForm} user=${dialog} onClose=${() => set(null)} onSaved=${() => { set(null); load.again() }} />`}
	</div>`
}

function UserForm({ user, onClose, onSaved }) {
	const isNew = !user.id
	const roles = useLoad(async () => (await admin('roles')).roles.map((r) => r.name), [])
	return html`<${Ask} title=${isNew ? 'New user' : user.email} action=${isNew ? 'Make' : 'Save'} onClose=${onClose} send=${async (v) => {
		await admin(isNew ? 'users' : `users/${user.id}`, { method: isNew ? 'POST' : 'PUT', body: { ...Object.fromEntries(Object.entries(v).filter(([k, x]) => x !== '' && k !== 'app_metadata')), app_metadata: objectOf(v.app_metadata, 'The data of the application') } })
		toast(isNew ? 'User made' : 'User changed')
		onSaved()
	}}>
		<label class="form-label w-100">Email <input class="form-control" type="email" name="email" required defaultValue=${user.email} /></label>
		<label class="form-label w-100">Role <input class="form-control" name="role" list="user-roles" autocomplete="off" defaultValue=${user.role || 'authenticated'} /><span class="form-text">A role of the database; what it may do is GRANT.</span></label>
		<datalist id="user-roles">${(roles.data || []).map((r) => html`<option value=${r} />`)}</datalist>
		<label class="form-label w-100">${isNew ? 'Password' : 'New password (empty: as it is)'} <input class="form-control" type="password" name="password" autocomplete="new-password" required=${isNew} /></label>
		<label class="form-label w-100">Data of the application, as JSON (app_metadata) <textarea class="form-control font-monospace" name="app_metadata" rows="2" spellcheck="false" placeholder=${'{"eid": 7}'} defaultValue=${appData(user)}></textarea>
			<span class="form-text">Policies may ask for it. What is not named here stays.</span></label><//>`
}
const appData = (user) => {
	const { provider, providers, ...own } = user.app_metadata || {}
	return Object.keys(own).length ? JSON.stringify(own) : ''
}

// The browser and system that a User-Agent stands for; else its first word.
function browser(agent) {
	const name = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1]
	const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(agent)?.[0]
	return name ? [{ Edg: 'Edge', OPR: 'Opera' }[name] || name, system && `on ${system}`].filter(Boolean).join(' ') : agent.split(' ')[0]
}

function Sessions({ user, onClose }) {
	const at = `users/${user.id}/sessions`
	const load = useLoad(() => admin(at), [user.id])
	const list = load.data || []
	return html`<${Dialog} title=${`Sessions of ${user.email}`} wide onClose=${onClose}>
		${load.error && html`<${Problem} error=${load.error} retry=${load.again} />`}${!load.data && !load.error && html`<${Loading} what="Reading sessions" />`}
		${load.data && !list.length && html`<p class="m-0">None: nobody is signed in as this user.</p>`}
		${list.length > 0 && html`<${Grid} name="Sessions" keys=${list.map((s) => s.id)} head=${['Since', 'Refreshed', 'From', 'Browser', { name: 'Actions', hidden: true }]}
			rows=${list.map((s) => [html`<${At} value=${s.created_at} />`, html`<${At} value=${s.refreshed_at} none="never" />`, s.address || '', html`<span title=${s.user_agent}>${browser(s.user_agent || '')}</span>`,
				html`<${Small} danger aria-label=${`End session ${s.id}`} onClick=${() => act('Session ended', `${at}/${s.id}`, { method: 'DELETE' }, load.again)}>End<//>`])} />
			<div class="text-end mt-3"><button type="button" class="btn btn-outline-danger" onClick=${() => act('All sessions ended', at, { method: 'DELETE' }, load.again)}>End all</button></div>`}<//>`
}
