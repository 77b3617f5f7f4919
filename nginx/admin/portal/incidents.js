// How many incidents there were, by type and over time.
import { html, useEffect, useMemo } from '../shared/html.js'
import { rows } from '../shared/api.js'
import { Empty, Loading, useLoad } from '../shared/layout.js'
import { axis, Chart, charts, Legend, useColours } from './chart.js'
import { among, between, saveRows, saveTable } from './data.js'
import { named, number } from './format.js'
import { Choice, DateInput, Failure, Select, sorted, Table, Work } from './parts.js'

const HEIGHT = 340
const MOST = 7
const MOST_CELLS = 20000
const schema = 'incidents'
const table = 'incident_local'
const next = {
	year: (word) => String(Number(word) + 1),
	month: (word) => (word.slice(5) === '12' ? `${Number(word.slice(0, 4)) + 1}-01` : `${word.slice(0, 5)}${String(Number(word.slice(5)) + 1).padStart(2, '0')}`),
	day: (word) => new Date(Date.parse(`${word}T00:00:00Z`) + 86400000).toISOString().slice(0, 10),
}
// Local time of the place. after: what follows a period, so that those without an incident are shown too.
const periods = {
	year: { label: 'Year', key: 'opened.year()', after: next.year },
	month: { label: 'Month', key: 'opened.year_month()', after: next.month },
	day: { label: 'Day', key: 'opened.date()', after: next.day },
	weekday: { label: 'Weekday', key: 'day_of_week' },
	hour: { label: 'Hour of the day', key: 'hour_of_day' },
}
const kinds = { type: 'Type', subtype: 'Subtype', city: 'City', first_due: 'Station due first' }
const choices = [['type', 'Type', 'type'], ['weekday', 'Weekday', 'day_of_week'], ['hour', 'Hour of the day', 'hour_of_day'], ['city', 'City', 'city']]

const until = (query) => (/^\d{4}-\d\d-\d\d$/.test(query.get('to') || '') ? [['opened', `lte.${query.get('to')}T23:59:59`]] : [])
export const incidentFilters = (query) => [
	...choices.flatMap(([name, , column]) => among(column, query.getAll(name))), ...between('opened', query.get('from'), null), ...until(query),
]

export const IncidentFilters = ({ route }) => html`${choices.map(([name, label, column]) => html`<${Choice} key=${name} label=${label} source=${{ schema, table, column }}
		chosen=${route.query.getAll(name)} onChange=${(words) => route.set({ [name]: words, more: null })} />`)}
	<${DateInput} label="From" value=${route.query.get('from')} onChange=${(v) => route.set({ from: v, more: null })} />
	<${DateInput} label="To" value=${route.query.get('to')} onChange=${(v) => route.set({ to: v, more: null })} />`

// The kinds that occur most; the others are one.
export function common(counts) {
	const names = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name)
	return { names: names.length > MOST + 1 ? [...names.slice(0, MOST), 'other'] : names, of: (name) => (names.length > MOST + 1 && names.indexOf(name) >= MOST ? 'other' : name) }
}

// [{ period, n, KIND: n, ... }] with every period between the first and the last.
function tabulate(cells, after) {
	const counts = new Map()
	for (const { kind, n } of cells) counts.set(named(kind), (counts.get(named(kind)) || 0) + n)
	const kindsShown = common(counts)
	const byPeriod = new Map()
	const row = (period) => {
		if (!byPeriod.has(period)) byPeriod.set(period, { period, n: 0, kinds: new Map() })
		return byPeriod.get(period)
	}
	let before = null
	for (const { period, kind, n } of cells) {
		const word = String(period)
		if (after && before !== null) for (let p = before; p < word && byPeriod.size < 5000; p = after(p)) row(p)
		before = word
		const at = row(word)
		const name = kindsShown.of(named(kind))
		at.n += n
		at.kinds.set(name, (at.kinds.get(name) || 0) + n)
	}
	return { names: kindsShown.names, list: [...byPeriod.values()] }
}

async function load(period, kind, filters, signal) {
	const { rows: cells } = await rows(table, [['select', `period:${periods[period].key},kind:${kind},n:count()`], ...filters, ['order', `${periods[period].key},${kind}`],
		['limit', String(MOST_CELLS)]], { schema, signal })
	return { ...tabulate(cells, periods[period].after), label: periods[period].label, cut: cells.length === MOST_CELLS }
}

const drawing = ({ names, list }) => (c, { width }) => ({
	grid: { left: 8, right: 12, top: 28, bottom: 8, containLabel: true },
	tooltip: {
		trigger: 'axis', axisPointer: { type: 'shadow' },
		formatter: ([{ dataIndex }]) => [`${list[dataIndex].period}: ${number(list[dataIndex].n)}`,
			...names.filter((k) => list[dataIndex].kinds.get(k)).map((k) => `${k} ${number(list[dataIndex].kinds.get(k))}`)].join('\n'),
	},
	xAxis: axis(c, { type: 'category', data: list.map((r) => r.period), splitLine: { show: false }, axisLabel: { color: c.text, hideOverlap: true, rotate: width < 500 ? 45 : 0 } }),
	yAxis: axis(c, { type: 'value', minInterval: 1, name: 'incidents', nameGap: 8, nameTextStyle: { color: c.faint, align: 'left' } }),
	series: names.map((name, i) => ({
		type: 'bar', stack: 'all', name, barMaxWidth: 48, itemStyle: { color: c.many[i] }, data: list.map((r) => r.kinds.get(name) || 0),
	})),
})

export function Incidents({ route }) {
	const known = (words, name, other) => (Object.hasOwn(words, route.query.get(name) || '') ? route.query.get(name) : other)
	const period = known(periods, 'by', 'month')
	const kind = known(kinds, 'split', 'type')
	const filters = incidentFilters(route.query)
	const { data, error, loading, again } = useLoad((signal) => load(period, kind, filters, signal), [period, kind, JSON.stringify(filters)])
	const colours = useColours()
	useEffect(() => void charts().catch(() => {}), [])
	const draw = useMemo(() => data && drawing(data), [data])
	const sort = route.query.get('sort') || 'period'
	const columns = data && [
		{ name: 'period', label: data.label, value: (r) => r.period, left: true },
		...data.names.map((name) => ({ name: `kind ${name}`, label: name, value: (r) => r.kinds.get(name) || 0, show: (r) => number(r.kinds.get(name) || 0) })),
		{ name: 'n', label: 'All', value: (r) => r.n, show: (r) => number(r.n) },
	]
	const list = data && (sort === 'period' ? data.list : sort === '-period' ? [...data.list].reverse() : sorted(data.list, columns, sort))
	const all = data && data.list.reduce((sum, r) => {
		for (const [name, n] of r.kinds) sum.kinds.set(name, (sum.kinds.get(name) || 0) + n)
		return { ...sum, n: sum.n + r.n }
	}, { period: 'All', n: 0, kinds: new Map() })
	return html`<form class="controls" onSubmit=${(e) => e.preventDefault()}>
			<${Select} label="By" value=${period} options=${Object.entries(periods).map(([word, p]) => [word, p.label])} onChange=${(word) => route.set({ by: word, sort: null })} />
			<${Select} label="Split by" value=${kind} options=${Object.entries(kinds)} onChange=${(word) => route.set({ split: word, sort: null })} />
			<${IncidentFilters} route=${route} />
		</form>
		${error && html`<${Failure} error=${error} again=${again} what="Incidents" />`}
		${!data && loading && html`<${Loading} what="Counting" />`}
		${data && !error && !list.length && html`<${Empty} title="No incident fits these filters"><a class="btn btn-sm btn-primary" href="#/incidents/count">Show all</a><//>`}
		${data && !error && list.length > 0 && html`<div class=${loading ? 'stale' : ''} aria-busy=${loading}>
			<${Legend} names=${data.names} colours=${colours.many} />
			<${Chart} draw=${draw} height=${HEIGHT} label=${`${number(all.n)} incidents by ${periods[period].label.toLowerCase()} and ${kinds[kind].toLowerCase()}, as stacked bars. The figures are in the table below.`} />
			<p class="small text-body-secondary">By the clock of the place.${data.cut && ' Not all are shown: choose fewer by the filters.'}</p>
			<${Table} caption="Incidents over time" columns=${columns} list=${list} sort=${sort} onSort=${(s) => route.set({ sort: s })} total=${all} />
			<div class="d-flex flex-wrap gap-2">
				<${Work} work=${async () => saveTable(columns, [...list, all], `incidents-by-${period}.csv`)}>These figures as CSV<//>
				<${Work} work=${() => saveRows(schema, table, filters, 'incidents.csv')}>The ${number(all.n)} incidents as CSV<//>
			</div></div>`}`
}
