// People by name and filters; each leads to the history of a salary.
import { html, useEffect, useState } from '../shared/html.js'
import { rows } from '../shared/api.js'
import { Empty, Loading, useLoad } from '../shared/layout.js'
import { containing, saveRows } from './data.js'
import { money, none, number } from './format.js'
import { Failure, Table, Work } from './parts.js'
import { schema, table, wageFilters, WageFilters } from './wages.js'

const PAGE = 50
const columns = [
	{ name: 'name', label: 'Name', value: (r) => r.name, show: (r) => html`<a href=${`#/wages/person?eid=${r.eid}`}>${r.name}</a>`, left: true },
	...[['department', 'Department'], ['division', 'Division'], ['job_code', 'Job code'], ['manager', 'Manager'], ['hire_date', 'Hired']]
		.map(([name, label]) => ({ name, label, value: (r) => r[name], show: (r) => r[name] ?? none, left: true })),
	{ name: 'salary', label: 'Salary', value: (r) => r.salary, show: (r) => money(r.salary) },
]
const order = (sort) => {
	const column = columns.find((c) => c.name === sort.replace(/^-/, '')) || columns[0]
	return `${column.name}.${sort[0] === '-' ? 'desc' : 'asc'}.nullslast,eid`
}

export function People({ route }) {
	const word = route.query.get('name') || ''
	const [typed, type] = useState(word)
	useEffect(() => type(word), [word])
	useEffect(() => {
		const later = setTimeout(() => typed === word || route.set({ name: typed || null, page: null }, true), 250)
		return () => clearTimeout(later)
	}, [typed])
	const sort = route.query.get('sort') || 'name'
	const page = Math.max(1, parseInt(route.query.get('page'), 10) || 1)
	const filters = [...wageFilters(route.query), ...(word ? [['name', containing(word)]] : [])]
	const { data, error, loading, again } = useLoad((signal) => rows(table, [['select', ['eid', ...columns.map((c) => c.name)].join(',')], ...filters, ['order', order(sort)],
		['limit', String(PAGE)], ['offset', String((page - 1) * PAGE)]], { schema, count: 'exact', signal }), [JSON.stringify(filters), sort, page])
	const last = data ? Math.max(1, Math.ceil(data.total / PAGE)) : 1
	return html`<form class="controls" onSubmit=${(e) => e.preventDefault()}>
			<label class="control control-wide">Name
				<input class="form-control form-control-sm" type="search" value=${typed} placeholder="any part of a name" onInput=${(e) => type(e.target.value)} /></label>
			<${WageFilters} route=${route} />
		</form>
		${error && html`<${Failure} error=${error} again=${again} what="Salaries" />`}
		${!data && loading && html`<${Loading} what="Looking for people" />`}
		${data && !error && html`<p role="status" class="text-body-secondary mb-2">${number(data.total)} ${data.total === 1 ? 'person' : 'people'}</p>
			${data.rows.length === 0
				? html`<${Empty} title="Nobody fits"><a class="btn btn-sm btn-primary" href="#/wages/people">Show everybody</a><//>`
				: html`<div class=${loading ? 'stale' : ''}><${Table} caption="People" columns=${columns} list=${data.rows} sort=${sort} onSort=${(s) => route.set({ sort: s, page: null })} /></div>
					<div class="d-flex flex-wrap gap-2 align-items-center">
						${last > 1 && html`<nav aria-label="Pages of people" class="d-flex gap-2 align-items-center">
							<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${page <= 1} onClick=${() => route.set({ page: String(page - 1) })}>Previous</button>
							<span>Page ${page} of ${last}</span>
							<button type="button" class="btn btn-sm btn-outline-secondary" disabled=${page >= last} onClick=${() => route.set({ page: String(page + 1) })}>Next</button></nav>`}
						<${Work} work=${() => saveRows(schema, table, filters, 'people.csv')}>${data.total === 1 ? 'This one' : `These ${number(data.total)}`} as CSV<//>
					</div>`}`}`
}
