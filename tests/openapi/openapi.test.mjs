// The OpenAPI documents of both data sets, as tools of others read them: two linters, a JSON Schema validator over the
// rows that come, and a generator of TypeScript.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { execFile } from 'node:child_process'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

const { ROWGATE_URL: url, ROWGATE_SERVICE_KEY: key } = process.env
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname)
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rowgate-openapi-'))
after(() => fs.rmSync(folder, { recursive: true, force: true }))

const headersFor = (role, database) => ({
	'Accept-Profile': database, ...(role === 'service' ? { Authorization: `Bearer ${key}` } : {}),
})
const documents = []
for (const database of ['wages', 'incidents'])
	for (const role of ['anon', 'service']) {
		const answer = await fetch(`${url}/rest/v1/`, { headers: headersFor(role, database) })
		assert.equal(answer.status, 200)
		const text = await answer.text()
		const file = path.join(folder, `${database}-${role}.json`)
		fs.writeFileSync(file, text)
		documents.push({ database, role, file, name: `${database} for ${role}`, json: JSON.parse(text) })
	}

const identity = path.join(folder, 'identity.json')
const described = await (await fetch(`${url}/auth/v1/`)).json()
fs.writeFileSync(identity, JSON.stringify(described))

// The exit status and all that was said; nothing is asked of another host.
const run = async (program, ...args) => {
	const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: '1', NO_COLOR: '1' }
	try {
		const { stdout } = await promisify(execFile)(process.execPath, [path.join(here, 'node_modules', program), ...args],
			{ cwd: folder, env, maxBuffer: 1 << 26 })
		return { status: 0, stdout }
	} catch (e) {
		return { status: e.code, stdout: `${e.stdout}${e.stderr}` }
	}
}
const redocly = (...args) => run('@redocly/cli/bin/cli.js', ...args)
const spectral = (...args) => run('@stoplight/spectral-cli/dist/index.js', ...args)
const old = Number(process.versions.node.split('.')[0]) < 20 && 'redocly needs node 20'
fs.writeFileSync(path.join(folder, 'ruleset.yaml'), 'extends: ["spectral:oas"]\n')

for (const { name, file } of [...documents, { name: 'identity', file: identity }]) {
	test(`redocly finds nothing in ${name}`, { skip: old }, async () => {
		const { status, stdout } = await redocly('lint', '--extends=recommended', '--format=json', file)
		assert.equal(status, 0, stdout)
		const { totals, problems } = JSON.parse(stdout)
		assert.deepEqual([totals, problems], [{ errors: 0, warnings: 0, ignored: 0 }, []])
	})
	test(`spectral finds nothing in ${name}`, async () => {
		const { status, stdout } = await spectral('lint', '--ruleset', 'ruleset.yaml', '--fail-severity=hint', '--format=json', file)
		assert.equal(status, 0, stdout)
		assert.match(stdout, /^\[\]/)
	})
}

test('the linters can find something', { skip: old }, async () => {
	const file = path.join(folder, 'bad.json')
	const bad = structuredClone(documents[1].json)
	delete bad.paths['/salary_history'].get.operationId
	bad.components.schemas.unused = { type: 'string' }
	fs.writeFileSync(file, JSON.stringify(bad))
	const { stdout } = await redocly('lint', '--extends=recommended', '--format=json', file)
	assert.ok(JSON.parse(stdout).totals.warnings >= 2, stdout)
	assert.notEqual((await spectral('lint', '--ruleset', 'ruleset.yaml', '--fail-severity=hint', file)).status, 0)
})

// Formats that JSON Schema itself does not know.
const validator = (json) => {
	const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true })
	addFormats(ajv)
	for (const format of ['decimal', 'date-time-local', 'uint64', 'geojson']) ajv.addFormat(format, true)
	for (const word of extensions(json)) ajv.addKeyword(word)
	ajv.addSchema({ $id: 'api', components: json.components }, 'api', true, false)
	return (ref) => ajv.compile({ $ref: `api${ref}` })
}
const extensions = (value, all = new Set(['components'])) => {
	if (value && typeof value === 'object')
		for (const [name, inner] of Object.entries(value)) {
			if (name.startsWith('x-')) all.add(name)
			extensions(inner, all)
		}
	return all
}

for (const { name, role, database, json } of documents)
	test(`rows are what the schemas of ${name} say`, async () => {
		const compile = validator(json)
		let rows = 0
		for (const schema of Object.keys(json.components.schemas)) {
			const fits = compile(`#/components/schemas/${schema}`)
			const table = json.components.schemas[schema]['x-table']
			if (!table || !json.paths[`/${table}`].get) continue
			const answer = await fetch(`${url}/rest/v1/${table}?limit=200`, { headers: headersFor(role, database) })
			for (const row of await answer.json()) {
				assert.ok(fits(row), JSON.stringify([table, row, fits.errors]))
				rows++
			}
			assert.ok(!rows || !fits({ [Object.keys(json.components.schemas[schema].properties)[0]]: { a: 1 } }), table)
		}
		assert.ok(rows > 100 || role === 'anon')
	})

test('what is refused is as the schema of errors says', async () => {
	const fits = validator(documents[0].json)('#/components/schemas/rowgate.error')
	for (const path of ['none', 'employee_directory', 'rpc/none', 'a/b/c', 'incident?select=nope'])
		assert.ok(fits(await (await fetch(`${url}/rest/v1/${path}`)).json()), path)
})

// What is asked with a token of the administrators', and without one, is answered as described.
test('answers of /auth/v1 are what the description says', async () => {
	const compile = validator(described)
	const ask = async (method, path, body, headers = {}) => {
		const answer = await fetch(`${url}/auth/v1${path}`, { method, headers, body: body && JSON.stringify(body) })
		const { responses } = described.paths[path.split('?')[0]][method.toLowerCase()]
		const at = responses[answer.status]
		assert.ok(at, `${method} ${path} ${answer.status}`)
		const { content } = at.$ref ? described.components.responses[at.$ref.split('/').pop()] : at
		const text = await answer.text()
		const type = Object.keys(content)[0]
		assert.ok(answer.headers.get('content-type').startsWith(type), path)
		if (type === 'text/plain') return text
		const { $ref, items } = content[type].schema
		const fits = compile($ref ?? items.$ref)
		for (const one of $ref ? [JSON.parse(text)] : JSON.parse(text))
			assert.ok(fits(one), JSON.stringify([path, one, fits.errors]))
		assert.ok(!fits([[]]) && !fits('x'), path)
		return JSON.parse(text)
	}
	const service = { Authorization: `Bearer ${key}` }
	let asked = 0
	for (const [path, operations] of Object.entries(described.paths)) {
		if (!operations.get || path.includes('{')) continue
		await ask('GET', path, undefined, operations.get.security ? {} : service)
		asked++
	}
	assert.ok(asked >= 14, asked)
	for (const [path, body] of [['/token?grant_type=password', { email: 'a@b.c', password: 'x' }], ['/signup', {}], ['/token?grant_type=none', {}]])
		assert.ok((await ask('POST', path, body)).error_code)
	assert.ok((await ask('GET', '/admin/pool')).msg)
	const { email, password } = { email: process.env.ROWGATE_ADMIN_EMAIL, password: process.env.ROWGATE_ADMIN_PASSWORD }
	const { access_token: token } = await ask('POST', '/token?grant_type=password', { email, password })
	assert.equal((await ask('GET', '/user', undefined, { Authorization: `Bearer ${token}` })).email, email)
	assert.ok((await ask('GET', '/sessions', undefined, { Authorization: `Bearer ${token}` })).length)
	assert.equal((await ask('POST', '/admin/tokens', { role: 'anon', sub: 'x' }, service)).role, 'anon')
	const policy = { schema: 'wages', table: 'salary_history', role: '*', name: 'described', using: 'no_such = 1' }
	assert.equal((await ask('POST', '/admin/policies/check', policy, service)).valid, false)
	assert.equal((await ask('POST', '/admin/policies', policy, service)).error_code, 'policy_invalid')
	assert.ok((await ask('POST', '/admin/reload', undefined, service)).number)
})

test('openapi-typescript makes types that compile and are of use', async () => {
	for (const { file, database, role } of documents) {
		const { status, stdout } = await run('openapi-typescript/bin/cli.js', file, '-o', path.join(folder, `${database}-${role}.ts`))
		assert.equal(status, 0, stdout)
	}
	const { status: made, stdout: said } = await run('openapi-typescript/bin/cli.js', identity, '-o', path.join(folder, 'identity.ts'))
	assert.equal(made, 0, said)
	fs.writeFileSync(path.join(folder, 'use.ts'), `
import type { components, operations, paths } from './wages-service.js'
import type { paths as incidents } from './incidents-anon.js'
import type { components as identity, operations as asked } from './identity.js'

type Row = components['schemas']['salary_history']
const row: Row = { id: 1, eid: 1, salary: 100, date: '2020-01-01' }
const fresh: components['schemas']['salary_history.insert'] = { eid: 1, salary: 100, date: '2020-01-01' }
// @ts-expect-error the salary is missing
const short: components['schemas']['salary_history.insert'] = { eid: 1, date: '2020-01-01' }
// @ts-expect-error no text
const wrong: Row = { id: 'one' }
type Rows = paths['/salary_history']['get']['responses']['200']['content']['application/json']
const rows: Rows = [row, fresh]
const query: operations['read_salary_history']['parameters']['query'] = { eid: 'eq.1', order: 'date', limit: 3 }
// @ts-expect-error limit is a number
const other: operations['read_salary_history']['parameters']['query'] = { limit: 'three' }
type Anonymous = incidents['/incident']['get']
// @ts-expect-error the anonymous role reads
type Never = incidents['/incident']['post']['responses']
const policy: identity['schemas']['newPolicy'] = { schema: 's', table: 't', role: '*', name: 'n', using: null }
// @ts-expect-error no such grant
const grant: asked['sign_in']['parameters']['query'] = { grant_type: 'none' }
export { grant, policy }
export { fresh, other, query, rows, short, wrong }
export type { Anonymous, Never }
`)
	const { status, stdout } = await run('typescript/bin/tsc', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext',
		...fs.readdirSync(folder).filter((f) => f.endsWith('.ts')))
	assert.deepEqual([status, stdout], [0, ''])
})
