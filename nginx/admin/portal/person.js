// Every salary a person has had, as steps.
import { html, useMemo } from '../shared/html.js'
import { rows } from '../shared/api.js'
import { Empty, Loading, useLoad } from '../shared/layout.js'
import { axis, Chart } from './chart.js'
import { saveTable } from './data.js'
import { money, named, none } from './format.js'
import { Failure, Table, Work } from './parts.js'
import { schema } from './wages.js'

const HEIGHT = 320
const YEAR = 365 * 86400000
const facts = [['department', 'Department'], ['division', 'Division'], ['job_code', 'Job code'], ['manager', 'Manager'], ['hire_date', 'Hired'], ['performance', 'Last review']]
const percent = (r) => (r.change === null ? none : `${r.change > 0 ? '+' : ''}${(100 * r.change).toFixed(1)} %`)
const columns = [
	{ name: 'date', label: 'From', value: (r) => r.date, left: true },
	{ name: 'salary', label: 'Salary', value: (r) => r.salary, show: (r) => money(r.salary) },
	{ name: 'raise', label: 'More by', value: (r) => r.raise, show: (r) => money(r.raise) },
	{ name: 'change', label: 'Change', value: (r) => r.change, show: percent },
]

const steps = (history) => history.map((r, i) => {
	const before = history[i - 1]?.salary
	return { ...r, raise: before === undefined ? null : r.salary - before, change: before ? r.salary / before - 1 : null }
})

async function load(eid, signal) {
	const [people, history] = await Promise.all([
		rows('employee_directory', [['eid', `eq.${eid}`]], { schema, signal }),
		rows('salary_history', [['eid', `eq.${eid}`], ['select', 'salary,date'], ['order', 'date,id']], { schema, signal }),
	])
	return { person: people.rows[0], history: steps(history.rows) }
}

// Marks between two years have no name of their own.
const newYear = (at) => {
	const t = new Date(at)
	return t.getMonth() === 0 && t.getDate() === 1 ? String(t.getFullYear()) : ''
}

// The last salary lasts to this day.
function drawing(history) {
	const today = new Date().toISOString().slice(0, 10)
	const points = history.map((r) => [r.date, r.salary])
	const last = points[points.length - 1]
	const years = last ? (Date.parse(today) - Date.parse(points[0][0])) / YEAR : 0
	return (c, { width }) => ({
		grid: { left: 8, right: 24, top: 32, bottom: 8, containLabel: true },
		tooltip: { trigger: 'axis', formatter: ([{ data }]) => `from ${data[0]}\n${money(data[1])}` },
		xAxis: axis(c, { type: 'time', minInterval: years > 2 ? YEAR : 0, splitNumber: Math.max(2, Math.floor(width / 140)), splitLine: { show: false },
			...(years > 2 ? { axisLabel: { color: c.text, hideOverlap: true, formatter: newYear } } : {}) }),
		yAxis: axis(c, { type: 'value', scale: true, name: 'dollars a year', nameGap: 10, nameTextStyle: { color: c.faint, align: 'left' }, axisLabel: { color: c.text, formatter: (v) => `${v / 1000}k` } }),
		series: [{
			type: 'line', step: 'end', symbolSize: 8, symbol: 'circle', lineStyle: { width: 2 },
			data: last && last[0] < today ? [...points, { value: [today, last[1]], symbol: 'none' }] : points,
		}],
	})
}

export function Person({ route }) {
	const eid = /^\d+$/.test(route.query.get('eid') || '') ? route.query.get('eid') : '0'
	const { data, error, loading, again } = useLoad((signal) => load(eid, signal), [eid])
	const draw = useMemo(() => data && drawing(data.history), [data])
	const back = html`<p><a href="#/wages/people">All people</a></p>`
	if (error) return html`${back}<${Failure} error=${error} again=${again} what="Salaries" />`
	if (loading) return html`<${Loading} what="Loading the history" />`
	if (!data.person) return html`<${Empty} title="There is no person with this number"><a class="btn btn-sm btn-primary" href="#/wages/people">Find people by name</a><//>`
	const { person, history } = data
	return html`${back}<h2 class="h4">${person.name}</h2>
		<dl class="facts">${facts.filter(([name]) => name in person).map(([name, label]) => html`<div><dt>${label}</dt><dd>${named(person[name])}</dd></div>`)}</dl>
		${!history.length
			? html`<${Empty} title="No salary is known"><p class="mb-0">None has been entered for this person, or none that you may see.</p><//>`
			: html`<${Chart} draw=${draw} height=${HEIGHT} label=${`Salary of ${person.name} from ${history[0].date}, ${money(history[0].salary)}, to ${history[history.length - 1].date}, ${money(history[history.length - 1].salary)}, in ${history.length} steps. The figures are in the table below.`} />
				<${Table} caption=${`Salaries of ${person.name}`} columns=${columns} list=${history} />
				<${Work} work=${async () => saveTable(columns, history, `salary-history-${eid}.csv`)}>These figures as CSV<//>`}`
}
