// A page of boxes and whiskers: a choice of groups, filters, the chart, and its figures beneath. Wages and response times
// are two of them.
import { html, useEffect, useMemo } from '../shared/html.js'
import { Empty, Loading, useLoad } from '../shared/layout.js'
import { boxplot, boxplotHeight } from './boxplot.js'
import { Chart, charts } from './chart.js'
import { boxes, saveRows, saveTable } from './data.js'
import { named, number } from './format.js'
import { Failure, sorted, Table, Work } from './parts.js'

const columns = (by, what) => [
	{ name: 'key', label: by.label, value: (g) => g.key, left: true },
	{ name: 'n', label: what.count, value: (g) => g.n },
	...[['min', 'Smallest'], ['q1', '1st quartile'], ['median', 'Median'], ['q3', '3rd quartile'], ['p90', '90th percentile'], ['max', 'Largest'],
		['mean', 'Mean']].map(([name, label]) => ({ name, label, value: (g) => g[name], show: (g) => what.format(g[name]) })),
	{ name: 'outlier_count', label: 'Outliers', value: (g) => g.outlier_count },
]

// what: { schema, table, value, count, unit, format, short, title, closed }; by: { label, key, drill(key), ordered };
// filters: of the API; children: the controls.
export function Boxes({ what: whatNow, by: byNow, filters, route, children, file }) {
	// Until the next figures are there, those before stand with their own names.
	const load = async (signal) => ({ ...await boxes({ schema: whatNow.schema, table: whatNow.table, key: byNow.key, value: whatNow.value, filters, signal }),
		by: byNow, what: whatNow })
	const { data, error, loading, again } = useLoad(load, [whatNow.value, byNow.key, JSON.stringify(filters)])
	useEffect(() => void charts().catch(() => {}), [])
	const { by, what } = data || { by: byNow, what: whatNow }
	const sort = route.query.get('sort') || 'key'
	const all = columns(by, what)
	// Weekdays and the like come in an order that is not that of their letters.
	const list = useMemo(() => data && (by.ordered && sort === 'key' ? data.groups : by.ordered && sort === '-key' ? [...data.groups].reverse() : sorted(data.groups, all, sort)), [data, sort])
	const draw = useMemo(() => list && boxplot(list, what), [list, what])
	const shown = [{ ...all[0], show: (g) => (by.drill && !g.total ? html`<a href=${by.drill(g.key)}>${named(g.key)}</a>` : named(g.key)) }, ...all.slice(1)]
	const total = data && { ...data.all, key: 'All', total: true }
	const open = (event) => {
		const group = list[event.seriesType === 'scatter' ? event.data[1] : event.dataIndex]
		if (by.drill && group) location.hash = by.drill(group.key)
	}
	return html`<form class="controls" onSubmit=${(e) => e.preventDefault()}>${children}</form>
		${error && html`<${Failure} error=${error} again=${again} what=${what.closed} />`}
		${!data && loading && html`<${Loading} what="Counting" />`}
		${data && !error && !list.length && html`<${Empty} title="Nothing fits these filters">
			<a class="btn btn-sm btn-primary" href=${`#/${route.path}`}>Show everything</a><//>`}
		${data && !error && list.length > 0 && html`<div class=${loading ? 'stale' : ''} aria-busy=${loading}>
			<${Chart} draw=${draw} height=${boxplotHeight(list)} onPick=${by.drill && open}
				label=${`${what.title} by ${by.label.toLowerCase()}, box and whisker: ${list.length} groups, ${number(data.all.n)} ${what.count.toLowerCase()}, median ${what.format(data.all.median)}. The figures are in the table below.`} />
			<p class="small text-body-secondary">Boxes are quartiles (linear interpolation) with the median; whiskers end at the last value within 1.5 box lengths, and what lies
				beyond is an outlier.${data.cut && ' Only the first groups are shown: choose fewer by the filters.'}</p>
			<${Table} caption=${`${what.title} by ${by.label.toLowerCase()}`} columns=${shown} list=${list} sort=${sort} onSort=${(s) => route.set({ sort: s })}
				total=${total} />
			<div class="d-flex flex-wrap gap-2">
				<${Work} work=${async () => saveTable(all, [...list, total], `${file}.csv`)}>These figures as CSV<//>
				<${Work} work=${() => saveRows(what.schema, what.table, filters, `${file}-rows.csv`)}>The ${number(data.all.n)} rows behind them as CSV<//>
			</div>
		</div>`}`
}
