// @supabase/supabase-js end to end: createClient(url, anonKey) signs in, refreshes, reads, writes and signs out against
// MySQL, and one session ends another. (ROWGATE_URL, ROWGATE_ANON_KEY, ROWGATE_SERVICE_KEY, ROWGATE_ADMIN_EMAIL,
// ROWGATE_ADMIN_PASSWORD; NODE_EXTRA_CA_CERTS trusts the CA.)
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'

const { ROWGATE_URL: url, ROWGATE_ANON_KEY: anonKey, ROWGATE_SERVICE_KEY: serviceKey } = process.env
// Realtime is not offered; older versions of Node have no WebSocket for it to find.
class NoSocket {}
const client = (key = anonKey, auth = {}) =>
	createClient(url, key, {
		auth: { persistSession: false, autoRefreshToken: false, ...auth },
		db: { schema: 'wages' },
		realtime: { transport: NoSocket },
	})
const good = async (promise) => {
	const { data, error } = await promise
	assert.equal(error, null, JSON.stringify(error))
	return data
}
const refusal = async (promise) => {
	const { error } = await promise
	assert.ok(error, 'no error')
	return error
}
const service = client(serviceKey)
const email = `${randomUUID()}@example.com`
const password = 'correct horse battery'
let user

before(async () => {
	const { user: made } = await good(
		service.auth.admin.createUser({ email, password, email_confirm: true, user_metadata: { name: 'Ada' } }),
	)
	const { user: changed } = await good(service.auth.admin.updateUserById(made.id, { role: 'hr' }))
	assert.equal(changed.role, 'hr')
	user = made
})
after(() => good(service.auth.admin.deleteUser(user.id)))

test('signs in, reads and writes as the role of the user', async () => {
	const db = client()
	assert.equal((await refusal(db.from('compensation').select())).code, '42501')
	const { session } = await good(db.auth.signInWithPassword({ email, password }))
	assert.equal(session.user.email, email)
	assert.equal(session.user.user_metadata.name, 'Ada')
	assert.equal(session.expires_in, 900)
	const rows = await good(db.from('compensation').select('eid,name,salary').order('eid').limit(2))
	assert.equal(rows.length, 2)
	const added = await good(
		db.from('salary_history').insert({ eid: rows[0].eid, salary: 123456, date: '2031-01-01' }).select('id,salary').single(),
	)
	assert.equal(added.salary, 123456)
	await good(db.from('salary_history').update({ salary: 123457 }).eq('id', added.id))
	assert.equal((await good(db.from('salary_history').select('salary').eq('id', added.id).single())).salary, 123457)
	await good(db.from('salary_history').delete().eq('id', added.id))
	assert.equal((await good(db.auth.getUser())).user.id, user.id)
	// By the published keys, without asking the server.
	assert.equal((await good(db.auth.getClaims())).claims.sub, user.id)
})

test('wrong passwords and unknown users are told the same', async () => {
	const wrong = await refusal(client().auth.signInWithPassword({ email, password: 'not this one' }))
	const nobody = await refusal(client().auth.signInWithPassword({ email: 'nobody@example.com', password }))
	for (const error of [wrong, nobody])
		assert.deepEqual([error.name, error.status, error.code], ['AuthApiError', 400, 'invalid_credentials'])
})

test('refreshes, also by itself', async () => {
	const db = client()
	const { session: first } = await good(db.auth.signInWithPassword({ email, password }))
	const { session: second } = await good(db.auth.refreshSession())
	assert.notEqual(second.refresh_token, first.refresh_token)
	assert.equal((await good(db.from('compensation').select('eid').limit(1))).length, 1)
	// A session that is about to expire is refreshed before it is used.
	const later = client()
	await good(later.auth.setSession({ access_token: second.access_token, refresh_token: second.refresh_token }))
	const { data } = await later.auth.getSession()
	assert.equal(data.session.access_token, second.access_token)
	const { session: third } = await good(later.auth.refreshSession({ refresh_token: second.refresh_token }))
	assert.notEqual(third.access_token, second.access_token)
	const expired = await refusal(client().auth.refreshSession({ refresh_token: 'no such token' }))
	assert.equal(expired.code, 'refresh_token_not_found')
})

test('changes the password and the metadata', async () => {
	const db = client()
	await good(db.auth.signInWithPassword({ email, password }))
	const { user: changed } = await good(db.auth.updateUser({ data: { team: 'x' } }))
	assert.deepEqual(changed.user_metadata, { name: 'Ada', team: 'x' })
	const weak = await refusal(db.auth.updateUser({ password: 'short' }))
	assert.deepEqual([weak.name, weak.reasons], ['AuthWeakPasswordError', ['length']])
	assert.equal((await refusal(db.auth.updateUser({ password }))).code, 'same_password')
})

test('signs out: nothing that was given out is believed any more', async () => {
	const db = client()
	const { session } = await good(db.auth.signInWithPassword({ email, password }))
	assert.equal((await db.auth.signOut({ scope: 'local' })).error, null)
	assert.equal((await db.auth.getSession()).data.session, null)
	assert.equal((await refusal(client().auth.refreshSession({ refresh_token: session.refresh_token }))).code,
		'refresh_token_not_found')
	assert.equal((await refusal(client().auth.getUser(session.access_token))).name, 'AuthSessionMissingError')
	const rest = createClient(url, session.access_token, { db: { schema: 'wages' }, realtime: { transport: NoSocket } })
	assert.equal((await refusal(rest.from('compensation').select('eid').limit(1))).code, 'PGRST303')
})

test('one session ends the others', async () => {
	const one = client(), other = client()
	await good(one.auth.signInWithPassword({ email, password }))
	await good(other.auth.signInWithPassword({ email, password }))
	assert.equal((await good(other.from('compensation').select('eid').limit(1))).length, 1)
	assert.equal((await one.auth.signOut({ scope: 'others' })).error, null)
	assert.equal((await refusal(other.from('compensation').select('eid').limit(1))).code, 'PGRST303')
	assert.equal((await refusal(other.auth.getUser())).name, 'AuthSessionMissingError')
	assert.equal((await good(one.from('compensation').select('eid').limit(1))).length, 1)
})

test('the administrator lists, bans and finds users; nobody else does', async () => {
	const { users, total } = await good(service.auth.admin.listUsers({ page: 1, perPage: 1000 }))
	assert.ok(users.some((u) => u.id === user.id) && total >= 2)
	assert.equal((await good(service.auth.admin.getUserById(user.id))).user.email, email)
	assert.equal((await refusal(client().auth.admin.listUsers())).code, 'not_admin')
	await good(service.auth.admin.updateUserById(user.id, { ban_duration: '1h' }))
	assert.equal((await refusal(client().auth.signInWithPassword({ email, password }))).code, 'user_banned')
	await good(service.auth.admin.updateUserById(user.id, { ban_duration: 'none' }))
	await good(client().auth.signInWithPassword({ email, password }))
	assert.equal((await refusal(service.auth.admin.createUser({ email, password }))).code, 'email_exists')
	assert.equal((await refusal(service.auth.admin.getUserById(randomUUID()))).code, 'user_not_found')
	const admin = client()
	await good(admin.auth.signInWithPassword({
		email: process.env.ROWGATE_ADMIN_EMAIL, password: process.env.ROWGATE_ADMIN_PASSWORD }))
	assert.equal((await good(admin.from('compensation').select('eid').limit(1))).length, 1)
})

test('nobody signs up by themselves', async () => {
	assert.equal((await refusal(client().auth.signUp({ email: 'new@example.com', password }))).code, 'signup_disabled')
})
