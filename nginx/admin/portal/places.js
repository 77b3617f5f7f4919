// Incidents on the plane of longitude and latitude. There are no tiles, so nothing is asked of another host.
import { html, useEffect, useMemo, useRef } from '../shared/html.js'
import { rows } from '../shared/api.js'
import { Empty, Loading, Time, useLoad } from '../shared/layout.js'
import { axis, Chart, charts, Legend, useColours } from './chart.js'
import { saveRows } from './data.js'
import { duration, named, number } from './format.js'
import { common, IncidentFilters, incidentFilters } from './incidents.js'
import { Failure, Table, Work } from './parts.js'
import { around, fitted, inside, moved, read, written, zoomed } from './plane.js'

const HEIGHT = 520
const MOST = 2000
const LISTED = 12
const schema = 'incidents'
const table = 'incident_local'
const asked = 'incident_number,type,subtype,event_opened,opened,address_line1,city,latitude,longitude,response_time'
const address = (number) => `#/incidents/incident?number=${encodeURIComponent(number)}`

const columns = [
	{ name: 'incident_number', label: 'Incident', value: (r) => r.incident_number, show: (r) => html`<a href=${address(r.incident_number)}>${r.incident_number}</a>`, left: true },
	{ name: 'event_opened', label: 'Opened', value: (r) => r.event_opened, show: (r) => html`<${Time} value=${r.event_opened} />`, left: true },
	{ name: 'type', label: 'Type', value: (r) => r.type, show: (r) => (r.subtype ? `${r.type}: ${r.subtype}` : r.type), left: true },
	{ name: 'address_line1', label: 'Address', value: (r) => r.address_line1, left: true },
	{ name: 'response_time', label: 'Response', value: (r) => r.response_time, show: (r) => duration(r.response_time) },
]

function byType(list) {
	const counts = new Map()
	for (const r of list) counts.set(r.type, (counts.get(r.type) || 0) + 1)
	return common(counts)
}

const degrees = (plus, minus) => (v) => `${Math.abs(v).toFixed(2)}° ${v < 0 ? minus : plus}`

// seen.now is set to the view as it is drawn, for the pointer.
const drawing = (list, types, view, seen) => (c, { width, height }) => {
	const grid = { left: 64, right: 12, top: 12, bottom: 32 }
	seen.grid = grid
	seen.now = fitted(view, width - grid.left - grid.right, height - grid.top - grid.bottom)
	return {
		grid,
		tooltip: { trigger: 'item', formatter: ({ data }) => `${data.row.incident_number}\n${data.row.type}: ${named(data.row.subtype)}\n${data.row.address_line1}\n${data.row.opened.replace('T', ' ')} there` },
		xAxis: axis(c, { type: 'value', min: seen.now.west, max: seen.now.east, axisLabel: { color: c.text, formatter: degrees('E', 'W'), hideOverlap: true, showMinLabel: false, showMaxLabel: false }, splitNumber: Math.max(2, Math.floor(width / 160)) }),
		yAxis: axis(c, { type: 'value', min: seen.now.south, max: seen.now.north, axisLabel: { color: c.text, formatter: degrees('N', 'S'), showMinLabel: false, showMaxLabel: false } }),
		series: types.names.map((name, i) => ({
			type: 'scatter', name, symbolSize: 9, itemStyle: { color: c.many[i], opacity: .8, borderColor: c.back, borderWidth: 1 },
			data: list.filter((r) => types.of(r.type) === name && inside(seen.now, r)).map((r) => ({ value: [Number(r.longitude), Number(r.latitude)], row: r })),
		})),
	}
}

// Drag to move, the wheel with Ctrl to come nearer: the wheel alone still moves the page, and so does a finger.
function usePointer(seen, look) {
	const from = useRef(null)
	return {
		onPointerDown: (e) => {
			if (e.pointerType === 'mouse' && e.button === 0) from.current = { x: e.clientX, y: e.clientY, view: seen.now }
		},
		onPointerMove: (e) => {
			if (!from.current || !e.buttons) return
			const box = e.currentTarget.getBoundingClientRect()
			const x = (from.current.x - e.clientX) / (box.width - seen.grid.left - seen.grid.right)
			const y = (e.clientY - from.current.y) / (box.height - seen.grid.top - seen.grid.bottom)
			if (Math.abs(x) + Math.abs(y) > 0.01) look(moved(from.current.view, x, y))
		},
		onPointerUp: () => (from.current = null),
		onWheel: (e) => {
			if (!e.ctrlKey) return
			e.preventDefault()
			const box = e.currentTarget.getBoundingClientRect()
			const x = (e.clientX - box.left - seen.grid.left) / (box.width - seen.grid.left - seen.grid.right)
			const y = (e.clientY - box.top - seen.grid.top) / (box.height - seen.grid.top - seen.grid.bottom)
			look(zoomed(seen.now, e.deltaY < 0 ? 0.8 : 1.25, x, y))
		},
	}
}

const Buttons = ({ seen, look, whole }) => html`<div class="plane-buttons" role="group" aria-label="Part of the plane">
	${[['+', 'Nearer', () => look(zoomed(seen.now, 0.6))], ['−', 'Farther', () => look(zoomed(seen.now, 1 / 0.6))], ['←', 'West', () => look(moved(seen.now, -0.3, 0))],
		['→', 'East', () => look(moved(seen.now, 0.3, 0))], ['↑', 'North', () => look(moved(seen.now, 0, 0.3))], ['↓', 'South', () => look(moved(seen.now, 0, -0.3))]]
		.map(([sign, name, act]) => html`<button type="button" class="btn btn-sm btn-outline-secondary" aria-label=${name} title=${name} onClick=${act}>${sign}</button>`)}
	<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${whole}>All of it</button>
</div>`

export function Places({ route }) {
	const filters = incidentFilters(route.query)
	const { data, error, loading, again } = useLoad((signal) => rows(table, [['select', asked], ...filters, ['order', 'event_opened.desc'], ['limit', String(MOST)]],
		{ schema, count: 'exact', signal }), [JSON.stringify(filters)])
	const list = data?.rows || []
	const colours = useColours()
	useEffect(() => void charts().catch(() => {}), [])
	const types = useMemo(() => byType(list), [data])
	const seen = useRef({}).current
	const chosen = route.query.get('view')
	const view = useMemo(() => read(chosen) || (list.length ? around(list.map((r) => ({ longitude: Number(r.longitude), latitude: Number(r.latitude) }))) : null), [chosen, data])
	const draw = useMemo(() => view && drawing(list, types, view, seen), [data, view])
	const look = (next) => route.set({ view: written(next), more: null }, true)
	const pointer = usePointer(seen, look)
	const there = chosen ? list.filter((r) => inside(view, r)) : list
	const more = Math.max(LISTED, Number(route.query.get('more')) || 0)
	return html`<form class="controls" onSubmit=${(e) => e.preventDefault()}><${IncidentFilters} route=${route} /></form>
		${error && html`<${Failure} error=${error} again=${again} what="Incidents" />`}
		${!data && loading && html`<${Loading} what="Looking for incidents" />`}
		${data && !error && !list.length && html`<${Empty} title="No incident fits these filters"><a class="btn btn-sm btn-primary" href="#/incidents/places">Show all</a><//>`}
		${data && !error && list.length > 0 && html`<div class=${loading ? 'stale' : ''} aria-busy=${loading}>
			${data.total > list.length && html`<p class="alert alert-info py-2">The newest ${number(list.length)} of ${number(data.total)} incidents are shown. The filters choose others.</p>`}
			<div class="places"><section>
			<div class="d-flex flex-wrap gap-2 justify-content-between align-items-center">
				<${Legend} names=${types.names} colours=${colours.many} />
				<${Buttons} seen=${seen} look=${look} whole=${() => route.set({ view: null, more: null }, true)} />
			</div>
			<div ...${pointer}><${Chart} draw=${draw} height=${HEIGHT} onPick=${(e) => e.data?.row && (location.hash = address(e.data.row.incident_number))}
				label=${`${number(there.length)} incidents by longitude and latitude. They are listed below.`} /></div>
			<p class="small text-body-secondary">A point opens its incident. Drag to move; Ctrl and the wheel, or the buttons, come nearer.</p></section>
			<section><h2 class="h5"><span role="status">${number(there.length)} ${there.length === 1 ? 'incident' : 'incidents'} ${chosen ? 'in this part' : 'here'}</span></h2>
			<${Table} caption="Incidents" columns=${columns} list=${there.slice(0, more)} wraps />
			<div class="d-flex flex-wrap gap-2">
				${there.length > more && html`<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => route.set({ more: String(more + 100) }, true)}>Show more</button>`}
				<${Work} work=${() => saveRows(schema, table, filters, 'incidents.csv')}>All ${number(data.total)} as CSV<//>
			</div></section></div></div>`}`
}
