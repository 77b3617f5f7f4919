// Users of /auth/v1, for administrators.
import { html, useState } from '../shared/html.js'
import { json } from '../shared/api.js'
import { confirm, Dialog, Empty, Loading, Problem, Time, toast, useLoad } from '../shared/layout.js'

const at = '/auth/v1/admin/users'
const SIZE = 50

export function Users({ me }) {
	const [page, setPage] = useState(1)
	const [dialog, set] = useState(null)
	const load = useLoad(async () => (await json(`${at}?page=${page}&per_page=${SIZE}`)).users, [page])
	const act = async (what, path, options) => {
		try {
			await json(at + path, options)
			toast(what)
			load.again()
			return true
		} catch (error) {
			toast(error.message, 'danger')
		}
	}
	const remove = async (u) =>
		(await confirm({ title: `Delete ${u.email}?`, text: 'The user and all their sessions end.', action: 'Delete', danger: true, must: u.email })) && act('User deleted', `/${u.id}`, { method: 'DELETE' })
	const banned = (u) => u.banned_until && new Date(u.banned_until) > new Date()
	if (load.error) return html`<h1 class="h4">Users</h1><${Problem} error=${load.error} retry=${load.again} />`
	return html`<div><div class="d-flex gap-2 align-items-center mb-2"><h1 class="h4 m-0 me-auto">Users</h1><button type="button" class="btn btn-sm btn-primary" onClick=${() => set({})}>New user</button></div>
		${!load.data && html`<${Loading} what="Reading users" />`}
		${load.data && !load.data.length && html`<${Empty} title="No users here" />`}
		${load.data?.length > 0 && html`<div class="table-responsive" tabindex="0" role="region" aria-label="Users"><table class="table table-sm rows"><thead><tr><th scope="col">Email</th><th scope="col">Role</th><th scope="col">Last sign-in</th><th scope="col">Made</th><th scope="col"><span class="visually-hidden">Actions</span></th></tr></thead>
			<tbody>${load.data.map((u) => html`<tr key=${u.id}><td>${u.email}${banned(u) && html` <span class="badge text-bg-danger">banned</span>`}</td><td>${u.role}</td>
				<td>${u.last_sign_in_at ? html`<${Time} value=${u.last_sign_in_at} />` : 'never'}</td><td><${Time} value=${u.created_at} /></td>
				<td class="text-nowrap"><button type="button" class="btn btn-sm btn-link" aria-label=${`Edit ${u.email}`} onClick=${() => set(u)}>Edit</button>
					<button type="button" class="btn btn-sm btn-link" aria-label=${`Sessions of ${u.email}`} onClick=${() => set({ sessions: u })}>Sessions</button>
					${u.id !== me.id && html`<button type="button" class="btn btn-sm btn-link" aria-label=${`${banned(u) ? 'Let in' : 'Ban'} ${u.email}`} onClick=${() => act(banned(u) ? 'May sign in again' : 'Banned', `/${u.id}`, { method: 'PUT', body: { ban_duration: banned(u) ? 'none' : '876000h' } })}>${banned(u) ? 'Let in' : 'Ban'}</button>
						<button type="button" class="btn btn-sm btn-link link-danger" aria-label=${`Delete ${u.email}`} onClick=${() => remove(u)}>Delete</button>`}</td></tr>`)}</tbody></table></div>`}
		${(page > 1 || load.data?.length === SIZE) && html`<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${page === 1} onClick=${() => setPage(page - 1)}>Previous</button> <button type="button" class="btn btn-sm btn-outline-secondary" disabled=${load.data?.length < SIZE} onClick=${() => setPage(page + 1)}>Next</button>`}
		${dialog?.sessions && html`<${Sessions} user=${dialog.sessions} onClose=${() => set(null)} />`}
		${dialog && !dialog.sessions && html`<${UserForm} user=${dialog} onClose=${() => set(null)} onSaved=${() => { set(null); load.again() }} />`}
	</div>`
}

function UserForm({ user, onClose, onSaved }) {
	const isNew = !user.id
	const [error, setError] = useState(null)
	const save = async (e) => {
		e.preventDefault()
		const form = Object.fromEntries([...new FormData(e.target)].filter(([, v]) => v !== ''))
		try {
			await json(isNew ? at : `${at}/${user.id}`, { method: isNew ? 'POST' : 'PUT', body: form })
			toast(isNew ? 'User made' : 'User changed')
			onSaved()
		} catch (e) {
			setError(e)
		}
	}
	return html`<${Dialog} title=${isNew ? 'New user' : user.email} onClose=${onClose}><form onSubmit=${save}>
		${error && html`<${Problem} error=${error} />`}
		<label class="form-label w-100">Email <input class="form-control" type="email" name="email" required defaultValue=${user.email} /></label>
		<label class="form-label w-100">Role <input class="form-control" name="role" defaultValue=${user.role || 'authenticated'} /><span class="form-text">A role of the database; what it may do is GRANT.</span></label>
		<label class="form-label w-100">${isNew ? 'Password' : 'New password (empty: as it is)'} <input class="form-control" type="password" name="password" autocomplete="new-password" required=${isNew} /></label>
		<button class="btn btn-primary w-100">${isNew ? 'Make' : 'Save'}</button></form><//>`
}

function Sessions({ user, onClose }) {
	const load = useLoad(async () => {
		const found = await json(`${at}/${user.id}/sessions`)
		return found.sessions || found
	}, [user.id])
	const end = async () => {
		try {
			await json(`${at}/${user.id}/sessions`, { method: 'DELETE' })
			toast('All sessions ended')
			load.again()
		} catch (error) {
			toast(error.message, 'danger')
		}
	}
	return html`<${Dialog} title=${`Sessions of ${user.email}`} wide onClose=${onClose}>
		${load.error && html`<${Problem} error=${load.error} />`}${!load.data && !load.error && html`<${Loading} />`}
		${load.data && !load.data.length && html`<p>None.</p>`}
		${load.data?.length > 0 && html`<div class="table-responsive" tabindex="0" role="region" aria-label="Sessions"><table class="table table-sm rows"><thead><tr>${Object.keys(load.data[0]).map((k) => html`<th scope="col">${k}</th>`)}</tr></thead>
			<tbody>${load.data.map((s) => html`<tr>${Object.values(s).map((v) => html`<td><${Time} value=${v ?? ''} /></td>`)}</tr>`)}</tbody></table></div>
			<button type="button" class="btn btn-outline-danger" onClick=${end}>End all</button>`}<//>`
}
