// react-admin's data provider for PostgREST, @raphiniert/ra-data-postgrest, as react-admin calls it.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import provider from '@raphiniert/ra-data-postgrest'
import { fetchUtils } from 'ra-core'

const { ROWGATE_URL: url, ROWGATE_SERVICE_KEY: key } = process.env
const make = provider.default ?? provider
const httpClient = (path, options = {}) => fetchUtils.fetchJson(path, {
	...options, user: { authenticated: true, token: `Bearer ${key}` },
})
const admin = make({
	apiUrl: `${url}/rest/v1`, httpClient, defaultListOp: 'eq', schema: () => '',
	primaryKeys: new Map([['employee_directory', ['eid']]]),
})
const people = 'employee_directory'
const person = (eid, more) => ({
	eid, name: `Nobody ${eid}`, gender: 'X', hire_date: '2020-02-29', department: 'SG&A', division: 'HR', job_code: 'R1',
	manager: null, performance: 'Meets', annual_benefits_value: 1, ...more,
})
const list = (filter, sort = { field: 'eid', order: 'ASC' }, pagination = { page: 1, perPage: 10 }) =>
	admin.getList(people, { filter, sort, pagination, meta: {} })
const clean = async () => {
	for (const [table, column] of [['salary_history', 'eid'], [people, 'eid']])
		await httpClient(`${url}/rest/v1/${table}?${column}=gte.9000`, { method: 'DELETE' })
}

beforeEach(clean)
afterEach(clean)

test('getList pages, sorts, filters and counts', async () => {
	const { data, total } = await list({ division: 'HR' }, { field: 'eid', order: 'DESC' }, { page: 2, perPage: 5 })
	assert.ok(total > 10 && data.length === 5 && data.every((p) => p.division === 'HR' && p.id === p.eid))
	assert.deepEqual(data.map((p) => p.eid), data.map((p) => p.eid).sort((a, b) => b - a))
	assert.equal((await list({ 'name@ilike': 'nobody' })).total, 0)
})

test('create, getOne, update, delete', async () => {
	const { data } = await admin.create(people, { data: person(9001) })
	assert.deepEqual(data, { id: 9001, ...person(9001) })
	const updated = await admin.update(people, { id: 9001, data: { ...data, name: 'New' }, previousData: data })
	assert.equal(updated.data.name, 'New')
	assert.equal((await admin.getOne(people, { id: 9001 })).data.name, 'New')
	assert.equal((await admin.delete(people, { id: 9001, previousData: data })).data.id, 9001)
	await assert.rejects(admin.getOne(people, { id: 9001 }))
})

test('getMany, updateMany, deleteMany', async () => {
	for (const eid of [9001, 9002, 9003])
		await admin.create(people, { data: person(eid) })
	assert.deepEqual((await admin.getMany(people, { ids: [9001, 9003] })).data.map((p) => p.id).sort(), [9001, 9003])
	await admin.updateMany(people, { ids: [9001, 9002], data: { manager: 'Me' } })
	assert.deepEqual((await list({ 'eid@gte': 9000 })).data.map((p) => p.manager), ['Me', 'Me', null])
	await admin.deleteMany(people, { ids: [9001, 9002, 9003] })
	assert.equal((await list({ 'eid@gte': 9000 })).total, 0)
})

test('getManyReference', async () => {
	await admin.create(people, { data: person(9001) })
	for (const [salary, date] of [[2, '2021-01-01'], [1, '2020-01-01'], [3, '2022-01-01']])
		await admin.create('salary_history', { data: { eid: 9001, salary, date } })
	const { data, total } = await admin.getManyReference('salary_history', {
		target: 'eid', id: 9001, sort: { field: 'date', order: 'DESC' }, pagination: { page: 1, perPage: 2 }, filter: {},
	})
	assert.deepEqual([total, data.map((s) => s.salary)], [3, [3, 2]])
})

test('what the database refuses is an error with its words', async () => {
	await assert.rejects(admin.create('salary_history', { data: { eid: 9999, salary: 1, date: '2020-01-01' } }), /foreign key|salary_history_eid/i)
})

test('it goes through every table of the description, by the keys that say so there', async () => {
	const { json } = await httpClient(`${url}/rest/v1/`)
	const tables = Object.values(json.components.schemas).filter((s) => s['x-table'] && s['x-primary-key'].length)
	const provider = make({
		apiUrl: `${url}/rest/v1`, httpClient, defaultListOp: 'eq', schema: () => '',
		primaryKeys: new Map(tables.map((s) => [s['x-table'], s['x-primary-key']])),
	})
	assert.ok(tables.length >= 2)
	for (const { 'x-table': name, 'x-primary-key': [key], properties } of tables) {
		const { data, total } = await provider.getList(name, {
			filter: {}, sort: { field: key, order: 'ASC' }, pagination: { page: 1, perPage: 3 }, meta: {},
		})
		assert.ok(total >= data.length && data.length, name)
		const { data: one } = await provider.getOne(name, { id: data[0].id })
		assert.deepEqual(one, data[0])
		assert.ok(Object.keys(properties).every((column) => column in one), name)
	}
})
