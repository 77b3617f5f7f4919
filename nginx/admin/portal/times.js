// How long units took, as boxes and whiskers.
import { html } from '../shared/html.js'
import { among, between } from './data.js'
import { Boxes } from './boxes.js'
import { duration } from './format.js'
import { Choice, DateInput, Select } from './parts.js'
import { href } from './route.js'

const schema = 'incidents'
const table = 'unit_response'
const measure = (value, title) => ({ schema, table, value, count: 'Units sent', unit: 'minutes', format: duration, short: duration, clock: true, title, closed: 'Response times' })
const measures = {
	response: measure('response_duration', 'Response time (dispatched to arrived)'),
	turnout: measure('turnout_duration', 'Turnout time (dispatched to enroute)'),
	travel: measure('travel_duration', 'Travel time (enroute to arrived)'),
}
// choice: the filter that leads to a group alone.
const groups = {
	unit_type: { label: 'Unit type', key: 'unit_type', choice: true },
	station: { label: 'Station', key: 'station', choice: true },
	unit_id: { label: 'Unit', key: 'unit_id', choice: true },
	hour: { label: 'Hour of the day', key: 'hour_of_day', choice: true },
	weekday: { label: 'Weekday', key: 'day_of_week', choice: true, ordered: true },
	month: { label: 'Month', key: 'opened.year_month()' },
	type: { label: 'Type of incident', key: 'type', choice: true },
}
const choices = ['type', 'unit_type', 'station', 'weekday', 'hour']

const filtersOf = (query) => [
	...[...choices, 'unit_id'].flatMap((name) => among(groups[name].key, query.getAll(name))),
	...between('opened', query.get('from'), null),
	...(/^\d{4}-\d\d-\d\d$/.test(query.get('to') || '') ? [['opened', `lte.${query.get('to')}T23:59:59`]] : []),
]

export function Times({ route }) {
	const name = Object.hasOwn(groups, route.query.get('by') || '') ? route.query.get('by') : 'unit_type'
	const shown = Object.hasOwn(measures, route.query.get('time') || '') ? route.query.get('time') : 'response'
	const alone = groups[name].choice && ((key) => {
		const query = new URLSearchParams(route.query)
		query.delete('sort')
		query.set(name, key ?? '')
		query.set('by', name === 'unit_type' ? 'station' : name === 'unit_id' ? 'hour' : 'unit_type')
		return href('incidents', query)
	})
	return html`<${Boxes} what=${measures[shown]} by=${{ ...groups[name], drill: alone }} filters=${filtersOf(route.query)} route=${route} file=${`${shown}-time-by-${name}`}>
		<${Select} label="Time" value=${shown} options=${[['response', 'Response'], ['turnout', 'Turnout'], ['travel', 'Travel']]} onChange=${(word) => route.set({ time: word })} />
		<${Select} label="Group by" value=${name} options=${Object.entries(groups).map(([word, g]) => [word, g.label])} onChange=${(word) => route.set({ by: word, sort: null })} />
		${choices.map((word) => html`<${Choice} key=${word} label=${groups[word].label} source=${{ schema, table, column: groups[word].key }}
			chosen=${route.query.getAll(word)} onChange=${(words) => route.set({ [word]: words })} />`)}
		${route.query.has('unit_id') && html`<div class="control"><span>Unit</span><button type="button" class="btn btn-sm btn-outline-secondary" aria-label="Any unit again"
			onClick=${() => route.set({ unit_id: null })}>${route.query.get('unit_id')} <span aria-hidden="true">×</span></button></div>`}
		<${DateInput} label="From" value=${route.query.get('from')} onChange=${(v) => route.set({ from: v })} />
		<${DateInput} label="To" value=${route.query.get('to')} onChange=${(v) => route.set({ to: v })} />
	<//>`
}
