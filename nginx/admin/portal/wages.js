// Compensation as boxes and whiskers.
import { html } from '../shared/html.js'
import { among } from './data.js'
import { Boxes } from './boxes.js'
import { money } from './format.js'
import { Choice, Select } from './parts.js'
import { href } from './route.js'

export const schema = 'wages'
export const table = 'compensation'
const what = {
	schema, table, value: 'salary', count: 'People', unit: 'dollars a year', format: money, short: (v) => `${v / 1000}k`, title: 'Compensation',
	closed: 'Salaries',
}

// drill: the filter of the people in a group.
const groups = {
	division: { label: 'Division', key: 'division' },
	department: { label: 'Department', key: 'department' },
	job_code: { label: 'Job code', key: 'job_code' },
	gender: { label: 'Gender', key: 'gender' },
	hired: { label: 'Year hired', key: 'hire_date.year()', years: true },
	since: { label: 'Year of the latest salary', key: 'salary_date.year()', years: true },
	performance: { label: 'Last review', key: 'performance', ordered: true },
	manager: { label: 'Manager', key: 'manager' },
}
const choices = ['department', 'division', 'job_code', 'gender', 'performance']
const years = { hired: 'hire_date', since: 'salary_date' }

// The filters in the address as the API's; pages about people have the same.
export function wageFilters(query) {
	const year = (name) => (/^\d{4}$/.test(query.get(name) || '') ? query.get(name) : null)
	const list = [...choices, 'manager'].flatMap((column) => among(column, query.getAll(column)))
	for (const [name, column] of Object.entries(years)) {
		if (year(name)) list.push([column, `gte.${year(name)}-01-01`], [column, `lte.${year(name)}-12-31`])
		if (year(`${name}_from`)) list.push([column, `gte.${year(`${name}_from`)}-01-01`])
		if (year(`${name}_to`)) list.push([column, `lte.${year(`${name}_to`)}-12-31`])
	}
	return list
}

export const WageFilters = ({ route }) => html`
	${choices.map((column) => html`<${Choice} key=${column} label=${groups[column].label} source=${{ schema, table, column }}
		chosen=${route.query.getAll(column)} onChange=${(words) => route.set({ [column]: words, page: null })} />`)}
	<${Year} route=${route} name="hired_from" label="Hired from" /><${Year} route=${route} name="hired_to" label="Hired to" />
	${['hired', 'since', 'manager'].filter((name) => route.query.has(name)).map((name) => html`<div class="control"><span>${groups[name].label}</span>
		<button type="button" class="btn btn-sm btn-outline-secondary" onClick=${() => route.set({ [name]: null, page: null })}
			aria-label=${`Any ${groups[name].label.toLowerCase()} again`}>${route.query.get(name) || '(none)'} <span aria-hidden="true">×</span></button></div>`)}`

const Year = ({ route, name, label }) => html`<label class="control control-year">${label}
	<input class="form-control form-control-sm" type="number" min="1900" max="2100" step="1" placeholder="year" value=${route.query.get(name) || ''}
		onChange=${(e) => route.set({ [name]: /^\d{4}$/.test(e.target.value) ? e.target.value : null, page: null })} /></label>`

export function Wages({ route }) {
	const name = Object.hasOwn(groups, route.query.get('by') || '') ? route.query.get('by') : 'division'
	const people = (key) => {
		const query = new URLSearchParams(route.query)
		for (const word of ['by', 'sort', name]) query.delete(word)
		query.set(name, key ?? '')
		return href('wages/people', query)
	}
	return html`<${Boxes} what=${what} by=${{ ...groups[name], drill: people }} filters=${wageFilters(route.query)} route=${route} file=${`compensation-by-${name}`}>
		<${Select} label="Group by" value=${name} options=${Object.entries(groups).map(([word, g]) => [word, g.label])}
			onChange=${(word) => route.set({ by: word, sort: null })} />
		<${WageFilters} route=${route} />
	<//>`
}
