// Who is signed in. The refresh token is in an HttpOnly cookie that no script can read, the access token only in this
// module's memory; a page that is opened again asks /auth/v1 for the next one. One tab refreshes at a time.

const cookie = { 'X-Client-Session': 'cookie', 'Content-Type': 'application/json' }
const hint = 'rowgate.session'
const listeners = new Set()
let access = null
let expires = 0
let user = null
let refreshing = null

// Says that a cookie may be there, so that visitors without one send no request for it.
const remember = (on) => {
	try {
		if (on) localStorage.setItem(hint, '1')
		else localStorage.removeItem(hint)
	} catch {
		// Without storage a page opened again asks to sign in.
	}
}
const remembered = () => {
	try {
		return localStorage.getItem(hint) === '1'
	} catch {
		return false
	}
}

const changed = () => listeners.forEach((f) => f(user))

// f(user or null) is called at each sign-in and sign-out; gives the function that ends that.
export function onSession(f) {
	listeners.add(f)
	return () => listeners.delete(f)
}

export const currentUser = () => user

export class AuthError extends Error {
	constructor(status, body, retryAfter) {
		super(body.msg || body.message || `The answer was ${status}`)
		Object.assign(this, { status, code: body.error_code || body.code, details: null, hint: null })
		if (status === 429) this.hint = `Try again in ${retryAfter || 'a few'} seconds.`
	}
}

async function auth(path, options) {
	let answer
	try {
		answer = await fetch('/auth/v1/' + path, { credentials: 'same-origin', ...options })
	} catch {
		throw new AuthError(0, { error_code: 'network', msg: 'The server cannot be reached. Nothing is lost: try again.' })
	}
	const text = await answer.text()
	let body = {}
	try {
		body = text ? JSON.parse(text) : {}
	} catch {
		body = { msg: text.slice(0, 200) }
	}
	if (!answer.ok) throw new AuthError(answer.status, body, answer.headers.get('Retry-After'))
	return body
}

function take(session) {
	access = session.access_token
	expires = Date.now() + (session.expires_in - 30) * 1000
	const before = user
	user = session.user
	remember(true)
	if (!before || before.id !== user.id || before.role !== user.role) changed()
}

function forget() {
	access = null
	expires = 0
	user = null
	remember(false)
	changed()
}

export async function signIn(email, password) {
	take(await auth('token?grant_type=password', { method: 'POST', headers: cookie, body: JSON.stringify({ email, password }) }))
	return user
}

// scope: local (this session), others, global.
export async function signOut(scope = 'local') {
	try {
		if (access)
			await auth(`logout?scope=${scope}`, { method: 'POST', headers: { ...cookie, Authorization: `Bearer ${access}` } })
	} catch (error) {
		if (error.status !== 401 && error.status !== 403) throw error
	}
	if (scope !== 'others') forget()
}

const oneTabAtATime = (work) => (navigator.locks ? navigator.locks.request('rowgate.refresh', work) : work())

async function askForNext() {
	try {
		take(await auth('token?grant_type=refresh_token', { method: 'POST', headers: cookie, body: '{}' }))
	} catch (error) {
		// A refused cookie ends the session; a server that is away or busy does not.
		if (error.status >= 400 && error.status < 500 && error.status !== 429) {
			access = null
			remember(false)
			return false
		}
		throw error
	}
	return true
}

// A new access token; false when the session has ended. Throws when nobody could be asked.
export function refresh() {
	refreshing = refreshing || oneTabAtATime(askForNext).finally(() => (refreshing = null))
	return refreshing
}

// At the start of a page: the user of the cookie, or null.
export async function start() {
	if (!user && remembered()) {
		try {
			if (!(await refresh())) forget()
		} catch {
			// Shown by the first request for data.
		}
	}
	return user
}

// The access token, refreshed when it is about to expire; null for a visitor.
export async function token() {
	if (access && Date.now() >= expires && !(await refresh())) return null
	return access
}

// Whoever is shown as signed in may find that the session has ended. The page (shared/layout.js) puts its sign-in dialog
// here; it resolves to true once somebody has signed in again.
let dialog = async () => false
export const setSignInDialog = (f) => (dialog = f)
export const askToSignIn = (why) => dialog(why)

// For tests: as if the access token had been taken back.
export const dropToken = () => (access = access && 'dropped')
