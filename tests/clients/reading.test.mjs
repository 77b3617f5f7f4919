// The reading half of @supabase/postgrest-js, used as its users use it, against the sample data of an instance
// (ROWGATE_URL, ROWGATE_SERVICE_KEY, ROWGATE_ANON_KEY; NODE_EXTRA_CA_CERTS trusts its CA). What a filter should give is
// worked out in JavaScript over the whole table.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { PostgrestClient } from '@supabase/postgrest-js'

const { ROWGATE_URL: url, ROWGATE_SERVICE_KEY: key, ROWGATE_ANON_KEY: anonKey } = process.env
const client = (token, options = {}) =>
	new PostgrestClient(`${url}/rest/v1`, { headers: { Authorization: `Bearer ${token}` }, ...options })
const db = client(key)
const incidents = client(key, { schema: 'incidents' })
let people, salaries

const good = async (builder) => {
	const answer = await builder
	assert.equal(answer.error, null, JSON.stringify(answer.error))
	return answer
}
const eids = (rows) => rows.map((row) => row.eid)
const expected = (test) => people.filter(test).map((p) => p.eid)
// Rows of a filter on employee_directory, in the order of eid.
const filtered = async (use) => eids((await good(use(db.from('employee_directory').select('eid')).order('eid'))).data)

before(async () => {
	people = (await good(db.from('employee_directory').select().order('eid'))).data
	salaries = (await good(db.from('salary_history').select().order('id'))).data
	assert.equal(people.length, 500)
	assert.ok(salaries.length > 1500)
})

test('select names columns, aliases and casts', async () => {
	const { data } = await good(db.from('employee_directory').select('who:name,eid::text').eq('eid', 1))
	assert.deepEqual(data, [{ who: people[0].name, eid: '1' }])
})

const cases = {
	eq: [(q) => q.eq('division', 'HR'), (p) => p.division === 'HR'],
	neq: [(q) => q.neq('division', 'HR'), (p) => p.division !== 'HR'],
	gt: [(q) => q.gt('eid', 490), (p) => p.eid > 490],
	gte: [(q) => q.gte('hire_date', '2018-01-01'), (p) => p.hire_date >= '2018-01-01'],
	lt: [(q) => q.lt('eid', 5), (p) => p.eid < 5],
	lte: [(q) => q.lte('annual_benefits_value', 9500), (p) => p.annual_benefits_value <= 9500],
	like: [(q) => q.like('name', 'A%'), (p) => p.name.startsWith('A')],
	ilike: [(q) => q.ilike('name', 'a%'), (p) => /^a/i.test(p.name)],
	likeAllOf: [(q) => q.likeAllOf('name', ['%a%', '%e%']), (p) => p.name.includes('a') && p.name.includes('e')],
	likeAnyOf: [(q) => q.likeAnyOf('name', ['A%', 'B%']), (p) => /^[AB]/.test(p.name)],
	ilikeAllOf: [(q) => q.ilikeAllOf('name', ['%A%', '%E%']), (p) => /a/i.test(p.name) && /e/i.test(p.name)],
	ilikeAnyOf: [(q) => q.ilikeAnyOf('name', ['a%', 'b%']), (p) => /^[ab]/i.test(p.name)],
	'is null': [(q) => q.is('manager', null), (p) => p.manager === null],
	in: [(q) => q.in('division', ['HR', 'Web']), (p) => ['HR', 'Web'].includes(p.division)],
	'in with reserved characters': [(q) => q.in('name', ['no,body', 'no(body)', people[3].name]), (p) => p.eid === 4],
	not: [(q) => q.not('division', 'eq', 'HR'), (p) => p.division !== 'HR'],
	'not is': [(q) => q.not('manager', 'is', null), (p) => p.manager !== null],
	or: [(q) => q.or('eid.eq.2,and(eid.gt.10,eid.lt.13)'), (p) => p.eid === 2 || (p.eid > 10 && p.eid < 13)],
	filter: [(q) => q.filter('eid', 'in', '(1,2,3)'), (p) => p.eid <= 3],
	match: [(q) => q.match({ division: 'HR', gender: 'F' }), (p) => p.division === 'HR' && p.gender === 'F'],
	regexMatch: [(q) => q.filter('name', 'match', '^[AE]'), (p) => /^[AE]/.test(p.name)],
	chained: [(q) => q.eq('division', 'HR').gt('eid', 100), (p) => p.division === 'HR' && p.eid > 100],
}
for (const [name, [use, test_]] of Object.entries(cases))
	test(`filter ${name}`, async () => {
		const want = expected(test_)
		assert.ok(want.length > 0 && want.length < 500, 'the case tells something')
		assert.deepEqual(await filtered(use), want)
	})

test('order, with a second column', async () => {
	const { data } = await good(db.from('employee_directory').select('eid,division')
		.order('division', { ascending: false }).order('eid', { ascending: true }))
	const want = [...people].sort((a, b) => (a.division < b.division) - (a.division > b.division) || a.eid - b.eid)
	assert.deepEqual(eids(data), eids(want))
})

test('order puts nulls where they are asked for', async () => {
	const first = await good(db.from('employee_directory').select('manager').order('manager', { nullsFirst: true }).limit(1))
	assert.equal(first.data[0].manager, null)
	const last = await good(db.from('employee_directory').select('manager').order('manager', { nullsFirst: false }).limit(1))
	assert.notEqual(last.data[0].manager, null)
})

test('limit and range', async () => {
	assert.deepEqual(eids((await good(db.from('employee_directory').select('eid').order('eid').limit(3))).data), [1, 2, 3])
	assert.deepEqual(eids((await good(db.from('employee_directory').select('eid').order('eid').range(5, 7))).data), [6, 7, 8])
})

for (const count of ['exact', 'planned', 'estimated'])
	test(`count ${count}`, async () => {
		const answer = await good(db.from('employee_directory').select('eid', { count }).limit(2))
		assert.equal(answer.data.length, 2)
		if (count === 'planned') assert.ok(answer.count > 100)
		else assert.equal(answer.count, 500)
	})

test('head gives the count alone', async () => {
	const answer = await good(db.from('employee_directory').select('*', { count: 'exact', head: true }).eq('division', 'HR'))
	assert.equal(answer.data, null)
	assert.equal(answer.count, expected((p) => p.division === 'HR').length)
})

test('single and maybeSingle', async () => {
	assert.equal((await good(db.from('employee_directory').select().eq('eid', 7).single())).data.eid, 7)
	assert.equal((await good(db.from('employee_directory').select().eq('eid', 7).maybeSingle())).data.eid, 7)
	assert.equal((await good(db.from('employee_directory').select().eq('eid', 0).maybeSingle())).data, null)
	for (const rows of [db.from('employee_directory').select().eq('eid', 0), db.from('employee_directory').select().lt('eid', 3)]) {
		const { error, status } = await rows.single()
		assert.deepEqual([error.code, status], ['PGRST116', 406])
	}
	const { error } = await db.from('employee_directory').select().lt('eid', 3).maybeSingle()
	assert.equal(error.code, 'PGRST116')
})

test('csv', async () => {
	const { data } = await good(db.from('employee_directory').select('eid,division').order('eid').limit(2).csv())
	assert.equal(data, `eid,division\n1,${people[0].division}\n2,${people[1].division}`)
})

test('stripNulls', async () => {
	const boss = people.find((p) => p.manager === null)
	const { data } = await good(db.from('employee_directory').select('eid,manager').eq('eid', boss.eid).stripNulls())
	assert.deepEqual(data, [{ eid: boss.eid }])
})

test('embed to-many with order and limit of its own', async () => {
	const { data } = await good(db.from('employee_directory').select('eid,salary_history(salary,date)').order('eid').limit(20)
		.order('id', { referencedTable: 'salary_history', ascending: false }).limit(1, { referencedTable: 'salary_history' }))
	for (const person of data) {
		const last = salaries.filter((s) => s.eid === person.eid).at(-1)
		assert.deepEqual(person.salary_history, last ? [{ salary: last.salary, date: last.date }] : [])
	}
})

test('embed to-one, aliased, and filtered by it', async () => {
	const { data } = await good(db.from('salary_history').select('id,person:employee_directory!inner(name,division)')
		.eq('person.division', 'HR').order('id'))
	const hr = new Map(people.filter((p) => p.division === 'HR').map((p) => [p.eid, p]))
	assert.deepEqual(data.map((row) => row.id), salaries.filter((s) => hr.has(s.eid)).map((s) => s.id))
	assert.ok(data.every((row) => row.person.division === 'HR'))
})

test('spread', async () => {
	const { data } = await good(db.from('salary_history').select('id,...employee_directory(name)').eq('id', 1))
	assert.deepEqual(data, [{ id: 1, name: people.find((p) => p.eid === salaries[0].eid).name }])
})

test('aggregates with grouping', async () => {
	const { data } = await good(db.from('employee_directory').select('division,count()').order('division'))
	const want = {}
	for (const p of people) want[p.division] = (want[p.division] ?? 0) + 1
	assert.deepEqual(Object.fromEntries(data.map((row) => [row.division, row.count])), want)
})

test('another schema, nested three deep', async () => {
	const { data } = await good(incidents.from('incident').select('incident_number,apparatus(unit_id,unit_status(status))').limit(5))
	assert.equal(data.length, 5)
	assert.ok(data.some((i) => i.apparatus.some((a) => a.unit_status.some((s) => s.status === 'dispatched'))))
	const again = await good(db.schema('incidents').from('apparatus').select('incident_number').limit(1))
	assert.equal(again.data.length, 1)
})

test('contains on a JSON column', async () => {
	const all = await good(incidents.from('incident_document').select('incident_number,type:document->description->>type'))
	const kind = all.data.find((d) => d.type)
	assert.ok(kind && all.data.some((d) => d.type !== kind.type))
	const { data } = await good(incidents.from('incident_document').select('incident_number')
		.contains('document', { description: { type: kind.type } }))
	assert.equal(data.length, all.data.filter((d) => d.type === kind.type).length)
})

test('a refusal has code, message, details and hint', async () => {
	const { data, error, status } = await db.from('employee_directory').select('nam')
	assert.equal(data, null)
	assert.equal(status, 400)
	assert.equal(error.code, '42703')
	assert.match(error.message, /employee_directory\.nam does not exist/)
	assert.match(error.hint, /employee_directory\.name/)
	assert.equal((await db.from('no_such_table').select()).error.code, 'PGRST205')
})

test('throwOnError throws', async () => {
	await assert.rejects(async () => await db.from('no_such_table').select().throwOnError())
})

test('the anonymous role reads incidents, not wages', async () => {
	assert.ok((await good(client(anonKey, { schema: 'incidents' }).from('incident').select('incident_number').limit(1))).data.length)
	const { error, status } = await client(anonKey).from('employee_directory').select()
	assert.deepEqual([status, error.code], [401, '42501'])
})

test('abortSignal ends the request', async () => {
	const { error } = await db.from('salary_history').select().abortSignal(AbortSignal.abort())
	assert.match(`${error?.message}`, /abort/i)
})
