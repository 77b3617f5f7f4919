// The writing half of @supabase/postgrest-js, used as its users use it. What was written is read again, and removed.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { PostgrestClient } from '@supabase/postgrest-js'

const { ROWGATE_URL: url, ROWGATE_SERVICE_KEY: key, ROWGATE_ANON_KEY: anonKey } = process.env
const client = (token) => new PostgrestClient(`${url}/rest/v1`, { headers: { Authorization: `Bearer ${token}` } })
const db = client(key)
const people = () => db.from('employee_directory')
const salaries = () => db.from('salary_history')

const person = (eid, more) => ({
	eid, name: `Nobody ${eid}`, gender: 'X', hire_date: '2020-02-29', department: 'SG&A', division: 'HR', job_code: 'R1',
	manager: null, performance: 'Meets', annual_benefits_value: 1, ...more,
})
const good = async (builder) => {
	const answer = await builder
	assert.equal(answer.error, null, JSON.stringify(answer.error))
	return answer
}
const bad = async (builder, status, code) => {
	const { error, status: got, data } = await builder
	assert.deepEqual([got, error?.code, data], [status, code, null], JSON.stringify(error))
	return error
}
const written = async (column = 'eid') => (await good(people().select(column).gte('eid', 9000).order('eid'))).data.map((p) => p[column])
const clean = async () => {
	await good(salaries().delete().gte('eid', 9000))
	await good(people().delete().gte('eid', 9000))
}

beforeEach(clean)
afterEach(clean)

test('insert gives nothing back unless asked', async () => {
	const { data, status } = await good(people().insert(person(9001)))
	assert.deepEqual([data, status], [null, 201])
	assert.deepEqual(await written(), [9001])
})

test('insert().select() gives the rows back as they were sent', async () => {
	const rows = [person(9002), person(9001)]
	const { data, status } = await good(people().insert(rows).select())
	assert.deepEqual([data, status], [rows, 201])
})

test('insert().select().single(), with embeds', async () => {
	await good(people().insert(person(9001)))
	const { data } = await good(salaries().insert({ eid: 9001, salary: 5, date: '2020-03-01' })
		.select('salary,employee_directory(name)').single())
	assert.deepEqual(data, { salary: 5, employee_directory: { name: 'Nobody 9001' } })
})

test('insert of rows with different keys', async () => {
	// postgrest-js sends columns=; what a row lacks is null, or the default with defaultToNull: false
	const { manager, ...without } = person(9002)
	await good(people().insert([person(9001, { manager: 'Me' }), without], { defaultToNull: false }))
	assert.deepEqual(await written('manager'), ['Me', null])
})

test('insert counts', async () => {
	const { count } = await good(people().insert([person(9001), person(9002)], { count: 'exact' }))
	assert.equal(count, 2)
})

test('upsert', async () => {
	await good(people().insert(person(9001)))
	const { data, status } = await good(people().upsert([person(9001, { name: 'New' }), person(9002)]).select('eid,name'))
	assert.deepEqual([data, status], [[{ eid: 9001, name: 'New' }, { eid: 9002, name: 'Nobody 9002' }], 201])
	assert.equal((await good(people().upsert(person(9001), { onConflict: 'eid' }))).status, 200)
})

test('upsert that ignores duplicates', async () => {
	await good(people().insert(person(9001)))
	const { data } = await good(people().upsert([person(9001, { name: 'New' }), person(9002)], { ignoreDuplicates: true }).select('eid'))
	assert.deepEqual(data, [{ eid: 9002 }])
	assert.deepEqual(await written('name'), ['Nobody 9001', 'Nobody 9002'])
})

test('update', async () => {
	await good(people().insert([person(9001), person(9002), person(9003)]))
	const { data } = await good(people().update({ manager: 'Me' }).in('eid', [9001, 9003]).select('eid,manager').order('eid', { ascending: false }))
	assert.deepEqual(data, [{ eid: 9003, manager: 'Me' }, { eid: 9001, manager: 'Me' }])
	const { count, status } = await good(people().update({ manager: null }, { count: 'exact' }).gte('eid', 9000))
	assert.deepEqual([count, status], [3, 204])
})

test('update of one', async () => {
	await good(people().insert([person(9001), person(9002)]))
	const { data } = await good(people().update({ name: 'One' }).eq('eid', 9001).select().single())
	assert.equal(data.name, 'One')
	await bad(people().update({ name: 'Two' }).gte('eid', 9000).select().single(), 406, 'PGRST116')
	assert.deepEqual(await written('name'), ['One', 'Nobody 9002'])
	assert.deepEqual((await good(people().update({ name: 'x' }).eq('eid', 9999).select().maybeSingle())).data, null)
})

test('maxAffected', async () => {
	await good(people().insert([person(9001), person(9002)]))
	await bad(people().update({ name: 'x' }).gte('eid', 9000).maxAffected(1), 400, 'PGRST124')
	assert.deepEqual(await written('name'), ['Nobody 9001', 'Nobody 9002'])
})

test('delete', async () => {
	await good(people().insert([person(9001), person(9002)]))
	const { data } = await good(people().delete().eq('eid', 9001).select('eid'))
	assert.deepEqual(data, [{ eid: 9001 }])
	const { count, status } = await good(people().delete({ count: 'exact' }).gte('eid', 9000))
	assert.deepEqual([count, status], [1, 204])
})

test('errors have the codes that clients know', async () => {
	await good(people().insert(person(9001)))
	assert.match((await bad(people().insert(person(9001)), 409, '23505')).details, /^Key \(eid\)=\(9001\) already exists\.$/)
	await bad(salaries().insert({ eid: 9999, salary: 1, date: '2020-01-01' }), 409, '23503')
	await bad(salaries().insert({ eid: 9001, salary: -1, date: '2020-01-01' }), 400, '23514')
	await bad(people().insert({ eid: 9002 }), 400, '23502')
	await bad(people().insert(person(9002, { hire_date: 'soon' })), 400, '22007')
	await bad(people().insert(person(9002, { nothing: 1 })), 400, 'PGRST204')
	await bad(people().delete(), 400, '21000')
	await bad(client(anonKey).from('employee_directory').insert(person(9002)), 401, '42501')
	assert.deepEqual(await written(), [9001])
})

test('throwOnError throws', async () => {
	await assert.rejects(async () => people().insert({ eid: 9002 }).throwOnError(), /not-null constraint/)
})
