// rpc() of @supabase/postgrest-js, on the incidents of the sample data. What is taken in here is removed again.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { PostgrestClient } from '@supabase/postgrest-js'

const { ROWGATE_URL: url, ROWGATE_SERVICE_KEY: key, ROWGATE_ANON_KEY: anonKey } = process.env
const client = (token) =>
	new PostgrestClient(`${url}/rest/v1`, { schema: 'incidents', headers: { Authorization: `Bearer ${token}` } })
const db = client(key)
const document = (number, more) => ({
	version: '1.0.29',
	address: { address_line1: '12 MILL RD', city: 'Port Ellery', state: 'VA', latitude: 38.2, longitude: -75.6 },
	apparatus: [{
		unit_id: 'E1', car_id: '111', unit_type: 'Engine', station: 'FSTA01', extended_data: {},
		unit_status: { arrived: { timestamp: '2025-06-30T22:05:10-04:00' } },
	}],
	description: {
		incident_number: number, event_id: '1', type: 'FIRE', subtype: 'BRUSH FIRE', day_of_week: 'Monday', hour_of_day: 22,
		event_opened: '2025-06-30T22:00:00-04:00', extended_data: {}, ...more,
	},
	fire_department: { fd_id: 'C', name: 'Clients', state: 'VA', timezone: 'US/Eastern' },
})
const answer = (number, action) => ({ incident_number: number, action, apparatus: 1, unit_status: 1 })
const good = async (builder) => {
	const answer = await builder
	assert.equal(answer.error, null, JSON.stringify(answer.error))
	return answer
}

afterEach(async () => {
	await good(db.from('incident').delete().in('incident_number', ['C1', 'C2']))
	await good(db.from('fire_department').delete().eq('fd_id', 'C'))
})

test('a document is the whole argument', async () => {
	const { data, status } = await good(db.rpc('ingest_incident', document('C1')))
	assert.deepEqual([status, data], [200, [answer('C1', 'inserted')]])
	assert.deepEqual((await good(db.rpc('ingest_incident', document('C1')))).data, [answer('C1', 'unchanged')])
	const { data: nested } = await good(db.from('incident').select('event_opened,apparatus(unit_id,unit_status(status,timestamp))')
		.eq('incident_number', 'C1').single())
	assert.deepEqual(nested, {
		event_opened: '2025-07-01T02:00:00+00:00',
		apparatus: [{ unit_id: 'E1', unit_status: [{ status: 'arrived', timestamp: '2025-07-01T02:05:10+00:00' }] }],
	})
})

test('rows of a procedure are selected, filtered, ordered, counted', async () => {
	const both = [document('C1'), document('C2')]
	const { data } = await good(db.rpc('ingest_incident', both).select('number:incident_number').order('incident_number', { ascending: false }))
	assert.deepEqual(data, [{ number: 'C2' }, { number: 'C1' }])
	const { data: one, count } = await good(db.rpc('ingest_incident', both, { count: 'exact' }).eq('incident_number', 'C2').single())
	assert.deepEqual([one, count], [answer('C2', 'unchanged'), 1])
	const page = await good(db.rpc('ingest_incident', both, { count: 'exact' }).range(1, 1))
	assert.deepEqual([page.data, page.count], [[answer('C2', 'unchanged')], 2])
	assert.equal((await good(db.rpc('ingest_incident', both).csv())).data.split('\n').length, 3)
	assert.equal((await good(db.rpc('ingest_incident', both).eq('action', 'inserted').maybeSingle())).data, null)
})

test('refusals', async () => {
	const refused = async (builder, status, code) => {
		const { error, status: got } = await builder
		assert.deepEqual([got, error?.code], [status, code], JSON.stringify(error))
		return error
	}
	const error = await refused(db.rpc('ingest_incident', document('C1', { event_opened: 'noon' })), 400, '22023')
	assert.match(error.message, /^description\.event_opened must be a time/)
	await refused(db.rpc('ingest_incident', document('C1')).single().eq('action', 'none'), 406, 'PGRST116')
	assert.deepEqual((await good(db.from('incident').select().eq('incident_number', 'C1'))).data, [])
	await refused(db.rpc('ingest_incident', { body: {} }, { get: true }), 405, '25006')
	await refused(db.rpc('ingest_incidents', {}), 404, 'PGRST202')
	await refused(client(anonKey).rpc('ingest_incident', document('C1')), 401, '42501')
})
