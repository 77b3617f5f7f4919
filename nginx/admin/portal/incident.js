// One incident: what and where, the timeline of its units, and their reports.
import { html } from '../shared/html.js'
import { rows } from '../shared/api.js'
import { Empty, Loading, Time, useLoad } from '../shared/layout.js'
import { duration, named, none } from './format.js'
import { Failure, Table } from './parts.js'
import { ordered, Timeline } from './timeline.js'

const schema = 'incidents'
const times = [['event_opened', 'Opened'], ['first_unit_dispatched', 'First unit dispatched'], ['first_unit_enroute', 'First unit on the way'],
	['first_unit_arrived', 'First unit arrived'], ['event_closed', 'Closed']]
const select = '*,fire_department(name),apparatus(id,unit_id,car_id,unit_type,station,turnout_duration,travel_duration,response_duration,event_duration,unit_status(status,timestamp,latitude,longitude))'

const load = async (number, signal) =>
	(await rows('incident', [['incident_number', `eq.${number}`], ['select', select], ['apparatus.order', 'id']], { schema, signal })).rows[0] || null

const stamp = (unit, status) => {
	const report = unit.unit_status.find((r) => r.status === status)
	return report ? html`<${Time} value=${report.timestamp} />` : none
}
const columns = [
	{ name: 'unit', label: 'Unit', value: (u) => u.unit_id, left: true },
	{ name: 'type', label: 'Type', value: (u) => u.unit_type, left: true },
	{ name: 'station', label: 'Station', value: (u) => u.station, show: (u) => named(u.station), left: true },
	...['dispatched', 'enroute', 'arrived', 'available'].map((status) => ({ name: status, label: status, show: (u) => stamp(u, status), left: true })),
	...[['turnout_duration', 'Turnout'], ['travel_duration', 'Travel'], ['response_duration', 'Response']]
		.map(([name, label]) => ({ name, label, value: (u) => u[name], show: (u) => duration(u[name]) })),
]
const reports = [
	{ name: 'unit', label: 'Unit', value: (r) => r.unit, left: true },
	{ name: 'status', label: 'Report', value: (r) => r.status, left: true },
	{ name: 'timestamp', label: 'Time', show: (r) => html`<${Time} value=${r.timestamp} />`, left: true },
	{ name: 'place', label: 'Place', value: (r) => (r.latitude === null ? none : `${r.latitude}, ${r.longitude}`), left: true },
]

export function Incident({ route }) {
	const number = route.query.get('number') || ''
	const { data, error, loading, again } = useLoad((signal) => load(number, signal), [number])
	const back = html`<p><a href="#/incidents/places">All incidents</a></p>`
	if (error) return html`${back}<${Failure} error=${error} again=${again} what="Incidents" />`
	if (loading) return html`<${Loading} what="Loading the incident" />`
	if (!data) return html`<${Empty} title=${`There is no incident ${number}`}><a class="btn btn-sm btn-primary" href="#/incidents/places">Choose one from the plane</a><//>`
	const list = data.apparatus.flatMap((u) => ordered(u.unit_status).map((r) => ({ ...r, unit: u.unit_id })))
	return html`${back}<h2 class="h4">${data.type}${data.subtype && html`: ${data.subtype}`} <small class="text-body-secondary">${data.incident_number}</small></h2>
		<dl class="facts">
			<div><dt>Address</dt><dd>${data.address_line1}, ${data.city}, ${data.state}${data.common_place_name && html` (${data.common_place_name})`}</dd></div>
			<div><dt>Department</dt><dd>${data.fire_department?.name}</dd></div>
			<div><dt>Position</dt><dd>${data.latitude}, ${data.longitude}</dd></div>
			<div><dt>Dispatched after</dt><dd>${duration(data.dispatch_duration)}</dd></div>
			<div><dt>First response</dt><dd>${duration(data.response_time)}</dd></div>
			${times.map(([name, label]) => html`<div><dt>${label}</dt><dd>${data[name] ? html`<${Time} value=${data[name]} />` : none}</dd></div>`)}
		</dl>
		<h2 class="h5">Units</h2>
		${!data.apparatus.length
			? html`<${Empty} title="No unit was sent" />`
			: html`<${Timeline} opened=${data.event_opened} units=${data.apparatus} />
				<${Table} caption="Units" columns=${columns} list=${data.apparatus} />
				<details><summary>Every report (${list.length})</summary><${Table} caption="Reports of the units" columns=${reports} list=${list} /></details>`}`
}
