// Requests to /rest/v1 and /auth/v1 with the session's token. Every failure is an ApiError with code, message, details and
// hint, whatever went wrong. A session that has ended asks to sign in over the page and then sends the request again.
import { askToSignIn, currentUser, refresh, token } from './session.js'

export class ApiError extends Error {
	constructor(status, body) {
		super(body.message || body.msg || `The answer was ${status}`)
		this.status = status
		this.code = String(body.error_code || body.code || status)
		this.details = body.details || null
		this.hint = body.hint || null
	}
}

const away = () =>
	new ApiError(0, { code: 'network', message: 'The server cannot be reached', hint: 'Nothing you typed is lost. Try again when the network is back.' })

async function failure(answer) {
	const text = await answer.text().catch(() => '')
	try {
		const body = JSON.parse(text)
		if (body && typeof body === 'object') return new ApiError(answer.status, body)
	} catch {
		// Not ours: a proxy's page.
	}
	return new ApiError(answer.status, { message: `The answer was ${answer.status}`, details: text.slice(0, 200) || null })
}

const ended = 'Your session has ended. Sign in to go on; nothing you typed is lost.'

// Whoever is signed in never asks as a visitor: without a token they are asked to sign in again first.
async function bearer() {
	let held = await token()
	if (!held && currentUser()) {
		if (!(await askToSignIn(ended))) throw new ApiError(401, { code: 'session', message: 'Your session has ended', hint: 'Sign in again to go on.' })
		held = await token()
	}
	return held
}

// Another token for /rest/v1 than the session's: f() gives it (admin/viewas.js), null ends that.
let other = null
export const standIn = (f) => (other = f)

async function send(path, options, headers) {
	const held = other && path.startsWith('/rest/v1/') ? await other() : await bearer()
	try {
		return await fetch(path, {
			credentials: 'same-origin',
			...options,
			headers: held ? { ...headers, Authorization: `Bearer ${held}` } : headers,
		})
	} catch (error) {
		if (error.name === 'AbortError') throw error
		throw away()
	}
}

// The Response of a request that went well. body: a value (sent as JSON) or text or a Blob (sent as it is, with its type
// in headers). schema: the database to look in.
export async function request(path, { method = 'GET', body, schema, headers = {}, signal } = {}) {
	const all = { ...headers }
	if (schema) all[method === 'GET' || method === 'HEAD' ? 'Accept-Profile' : 'Content-Profile'] = schema
	const raw = typeof body === 'string' || body instanceof Blob
	if (body !== undefined && !raw) all['Content-Type'] = all['Content-Type'] || 'application/json'
	const options = { method, signal, body: body === undefined || raw ? body : JSON.stringify(body) }

	let answer = await send(path, options, all)
	if (answer.status === 401 && currentUser()) {
		// Taken back before its time: the refresh token may still hold. If not, send() asks to sign in.
		await refresh()
		answer = await send(path, options, all)
	}
	if (!answer.ok) throw await failure(answer)
	return answer
}

// JSON in which numbers that JavaScript would round keep their digits: as text where they are a column's value, as raw JSON
// (which JSON.stringify writes as it was) deeper down.
export function exactJson(text) {
	if (!/\d[\d.]{15}/.test(text) || !JSON.rawJSON) return JSON.parse(text)
	const value = JSON.parse(text, (key, v, context) =>
		typeof v === 'number' && context.source.length > 15 && JSON.stringify(v) !== context.source ? JSON.rawJSON(context.source) : v)
	for (const row of Array.isArray(value) ? value : [value])
		for (const key in row) if (JSON.isRawJSON(row[key])) row[key] = row[key].rawJSON
	return value
}

export async function json(path, options) {
	const answer = await request(path, options)
	const text = await answer.text()
	return text ? exactJson(text) : null
}

// PostgREST's quoting: a value inside in.(...) or a group of or=(...).
export const quoted = (value) => `"${String(value).replace(/["\\]/g, '\\$&')}"`

// The query of a URL from [name, value] pairs.
export const query = (pairs) => {
	const text = pairs.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join('&')
	return text && '?' + text
}

export const tablePath = (name, pairs = []) => `/rest/v1/${encodeURIComponent(name)}${query(pairs)}`

// Rows with what Content-Range says: { rows, from, total }; total is null when no count was asked for.
export async function rows(name, pairs, { schema, count, signal, headers = {} } = {}) {
	const all = count ? { ...headers, Prefer: `count=${count}` } : headers
	const answer = await request(tablePath(name, pairs), { schema, signal, headers: all })
	const [, from, total] = /^(?:(\d+)-\d+|\*)\/(\d+|\*)/.exec(answer.headers.get('Content-Range') || '') || []
	return { rows: exactJson(await answer.text()), from: Number(from || 0), total: total === undefined || total === '*' ? null : Number(total) }
}

// How many rows match, without the rows: { total, exact }.
export async function countRows(name, pairs, { schema, count = 'exact', signal } = {}) {
	const answer = await request(tablePath(name, [...pairs, ['limit', '0']]), { schema, signal, headers: { Prefer: `count=${count}` } })
	await answer.arrayBuffer()
	const total = /\/(\d+)/.exec(answer.headers.get('Content-Range') || '')
	return total ? Number(total[1]) : null
}

// Saves what a request answers as a file, telling progress(bytes) as it comes. The body goes to the browser's own store in
// pieces, so a large export needs no memory of its size.
export async function download(path, filename, { schema, accept = 'text/csv', progress = () => {}, signal } = {}) {
	const answer = await request(path, { schema, headers: { Accept: accept }, signal })
	const reader = answer.body.getReader()
	let parts = []
	let held = 0
	let bytes = 0
	for (;;) {
		const { done, value } = await reader.read()
		if (done) break
		parts.push(value)
		held += value.length
		bytes += value.length
		if (held > 8e6) {
			parts = [new Blob(parts)]
			held = 0
		}
		progress(bytes)
	}
	saveAs(new Blob(parts, { type: accept }), filename)
	return bytes
}

export function saveAs(blob, filename) {
	const link = document.createElement('a')
	link.href = URL.createObjectURL(blob)
	link.download = filename
	document.body.append(link)
	link.click()
	link.remove()
	setTimeout(() => URL.revokeObjectURL(link.href), 60000)
}

// The OpenAPI document of a schema for the caller's role; kept until the session or the database's definitions change.
const documents = new Map()
export function openapi(schema) {
	const key = `${currentUser()?.id || ''} ${currentUser()?.role || ''} ${schema || ''}`
	if (!documents.has(key)) {
		const loading = json('/rest/v1/', { schema, headers: { Accept: 'application/openapi+json' } })
		loading.catch(() => documents.delete(key))
		documents.set(key, loading)
	}
	return documents.get(key)
}
export const forgetDocuments = () => documents.clear()
