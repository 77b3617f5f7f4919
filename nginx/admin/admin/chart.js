// A chart of the rows that a list shows: bars of groups, course over time, histogram, box and whisker, or points by latitude
// and longitude. The figures stand in a table beneath it; the address holds what was chosen.
import { html, useEffect, useMemo } from '../shared/html.js'
import { rows } from '../shared/api.js'
import { Empty, Loading, Problem, useLoad } from '../shared/layout.js'
import { boxplot, boxplotHeight } from '../portal/boxplot.js'
import { axis, Chart, charts } from '../portal/chart.js'
import { saveTable } from '../portal/data.js'
import { around, fitted } from '../portal/plane.js'
import { labelsOf } from './facets.js'
import { columnName, keyPairs } from './filter.js'
import { listState, statePairs, wheres } from './list.js'
import { Grid } from './parts.js'
import { address, go } from './route.js'
import { counted, shown } from './value.js'

const GROUPS = 40
const PERIODS = 1000
const POINTS = 5000
const BINS = 20
const HEIGHT = 380
const KINDS = { bars: 'Bars', time: 'Over time', histogram: 'Histogram', box: 'Box and whisker', map: 'Map' }
const FIGURES = { count: 'number of rows', sum: 'sum of', avg: 'mean of', median: 'median of', min: 'least', max: 'greatest' }
const PARTS = { year: 'year', year_month: 'month', date: 'day', hour: 'hour of the day', weekday: 'weekday' }
const WEEKDAYS = ['', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

const fine = new Intl.NumberFormat('en-US', { maximumFractionDigits: 4 })
const plain = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 })
const compact = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2, notation: 'compact' })
const figure = (n) => (n === null || n === undefined || n === '' ? '–' : (Math.abs(n) < 200 ? fine : plain).format(Number(n)))
const short = (n) => (Math.abs(n) < 10000 ? plain.format(n) : compact.format(n))

const isNumber = (c) => c.readable && (c.kind === 'integer' || c.kind === 'number')
const isDate = (c) => c.readable && ['date', 'datetime', 'zoned'].includes(c.kind)
const groups = (c) => c.readable && !c.big && !['json', 'binary'].includes(c.kind)
const rank = (t) => (c) => (t.key.includes(c.name) ? 9 : ['enum', 'boolean', 'set'].includes(c.kind) ? 0 : c.fk ? 1 : c.kind === 'text' ? 2 : 5)

// Numbers that count or place something rather than measure it.
const NO_MEASURE = /id$|^(no|number|code|year|lat|latitude|lon|lng|longitude)$/i

// What the address says, or else what suits the table.
function choices(t, pairs) {
	const said = (name) => pairs.find(([k]) => k === '!' + name)?.[1]
	const numbers = t.columns.filter(isNumber)
	const dates = t.columns.filter(isDate)
	const by = t.columns.filter(groups).sort((a, b) => rank(t)(a) - rank(t)(b))
	const place = (pattern) => numbers.find((c) => pattern.test(c.name))
	const kinds = Object.keys(KINDS).filter((k) => (k === 'bars' ? by.length : k === 'time' ? dates.length : k === 'map' ? numbers.length > 1 : numbers.length))
	const one = (name, list, fallback) => (list.some((c) => c.name === said(name)) ? said(name) : fallback?.name)
	const measure = numbers.find((c) => !t.key.includes(c.name) && !c.fk && !NO_MEASURE.test(c.name)) || numbers[0]
	const likely = dates.length && by.length && rank(t)(by[0]) > 0 ? 'time' : kinds[0]
	const kind = kinds.includes(said('kind')) ? said('kind') : likely
	return {
		numbers, dates, by, kinds, kind,
		of: one('of', numbers, measure),
		group: kind === 'time' ? one('by', dates, dates[0]) : one('by', by, kind === 'box' && said('by') === '' ? null : by[0]),
		figure: FIGURES[said('figure')] && numbers.length ? said('figure') : 'count',
		part: PARTS[said('part')] ? said('part') : 'year_month',
		lat: one('lat', numbers, place(/^lat|latitude$/i) || numbers[0]),
		lon: one('lon', numbers, place(/^(lon|lng)|longitude$/i) || numbers[1]),
	}
}

const Choose = ({ label, value, options, onChange }) => html`<label class="small">${label}
	<select class="form-select form-select-sm" aria-label=${label} value=${value} onChange=${(e) => onChange(e.target.value)}>${options.map(([k, name]) => html`<option value=${k}>${name}</option>`)}</select></label>`
const names = (list) => list.map((c) => [c.name, c.name])

function Controls({ t, c, set }) {
	const measured = c.kind === 'bars' || c.kind === 'time'
	return html`<form class="import-settings mb-3" onSubmit=${(e) => e.preventDefault()}>
		<${Choose} label="Chart" value=${c.kind} options=${c.kinds.map((k) => [k, KINDS[k]])} onChange=${(v) => set({ kind: v, by: undefined })} />
		${measured && html`<${Choose} label="Of" value=${c.figure} options=${Object.entries(FIGURES).filter(([k]) => k === 'count' || c.numbers.length)} onChange=${(v) => set({ figure: v })} />`}
		${(c.kind === 'histogram' || c.kind === 'box' || (measured && c.figure !== 'count')) && html`<${Choose} label=${measured ? 'Column' : 'Of'} value=${c.of} options=${names(c.numbers)} onChange=${(v) => set({ of: v })} />`}
		${c.kind === 'bars' && html`<${Choose} label="For each" value=${c.group} options=${names(c.by)} onChange=${(v) => set({ by: v })} />`}
		${c.kind === 'box' && html`<${Choose} label="For each" value=${c.group || ''} options=${[['', 'all together'], ...names(c.by)]} onChange=${(v) => set({ by: v })} />`}
		${c.kind === 'time' && html`<${Choose} label="Time" value=${c.group} options=${names(c.dates)} onChange=${(v) => set({ by: v })} />
			<${Choose} label="For each" value=${c.part} options=${Object.entries(PARTS).filter(([k]) => k !== 'hour' || t.byName[c.group].kind !== 'date')} onChange=${(v) => set({ part: v })} />`}
		${c.kind === 'map' && html`<${Choose} label="Latitude" value=${c.lat} options=${names(c.numbers)} onChange=${(v) => set({ lat: v })} />
			<${Choose} label="Longitude" value=${c.lon} options=${names(c.numbers)} onChange=${(v) => set({ lon: v })} />`}</form>`
}

const measureOf = (c) => (c.figure === 'count' ? 'count()' : `${columnName(c.of)}.${c.figure}()`)
const measureName = (c) => (c.figure === 'count' ? 'rows' : `${FIGURES[c.figure]} ${c.of}`)

// { head, list, cells(row), label, draw, height, pick(event), note } of what was asked.
const LOADERS = {
	async bars({ model, t, c, where, ask }) {
		const of = t.byName[c.group]
		const found = await ask([['select', `key:${columnName(c.group)},value:${measureOf(c)}`], ['order', `value.desc,${columnName(c.group)}`], ['limit', GROUPS + 1]])
		const list = found.slice(0, GROUPS)
		const labels = await labelsOf(model, of, list.map((r) => r.key))
		const name = (r) => (r.key === null ? '(null)' : r.key === '' ? '(empty)' : labels[r.key] || shown(r.key))
		return {
			head: [c.group, { name: measureName(c), end: true }], list, cells: (r) => [name(r), figure(r.value)], height: 60 + 26 * Math.max(list.length, 2),
			note: found.length > GROUPS && `The ${GROUPS} largest groups. The filters of the list choose others.`,
			draw: (colours, { width }) => ({
				grid: { left: 8, right: 24, top: 8, bottom: 40, containLabel: true },
				tooltip: { trigger: 'item', formatter: ({ dataIndex }) => `${name(list[dataIndex])}\n${measureName(c)}: ${figure(list[dataIndex].value)}` },
				yAxis: axis(colours, { type: 'category', inverse: true, data: list.map(name), splitLine: { show: false }, axisLabel: { color: colours.text, interval: 0, width: Math.min(190, width * .36), overflow: 'truncate' } }),
				xAxis: valueAxis(colours, width, measureName(c)),
				series: [{ type: 'bar', barMaxWidth: 20, data: list.map((r) => Number(r.value)) }],
			}),
			pick: ({ dataIndex }) => list[dataIndex] && go({ schema: t.schema, table: t.name, pairs: [...where, [columnName(c.group), list[dataIndex].key === null ? 'is.null' : `eq.${shown(list[dataIndex].key)}`]] }),
		}
	},
	async time({ t, c, ask }) {
		const key = `${columnName(c.group)}.${c.part}()`
		const list = (await ask([['select', `key:${key},value:${measureOf(c)}`], [columnName(c.group), 'not.is.null'], ['order', 'key'], ['limit', PERIODS]]))
		const name = (r) => (c.part === 'weekday' ? WEEKDAYS[r.key] : c.part === 'hour' ? `${r.key}:00` : String(r.key))
		return {
			head: [PARTS[c.part], { name: measureName(c), end: true }], list, cells: (r) => [name(r), figure(r.value)], height: HEIGHT,
			note: list.length === PERIODS && `The first ${counted(PERIODS)} are shown.`,
			draw: (colours, { width }) => ({
				grid: { left: 8, right: 16, top: 32, bottom: 8, containLabel: true },
				tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, formatter: ([{ dataIndex }]) => `${name(list[dataIndex])}\n${measureName(c)}: ${figure(list[dataIndex].value)}` },
				xAxis: axis(colours, { type: 'category', data: list.map(name), splitLine: { show: false }, axisLabel: { color: colours.text, hideOverlap: true, rotate: width < 500 ? 45 : 0 } }),
				yAxis: { ...valueAxis(colours, width, measureName(c)), nameLocation: 'end', nameGap: 12, nameTextStyle: { color: colours.faint, align: 'left' } },
				series: [{ type: 'bar', barMaxWidth: 40, data: list.map((r) => Number(r.value)) }],
			}),
		}
	},
	async histogram({ c, ask }) {
		const [{ h }] = await ask([['select', `h:${columnName(c.of)}.histogram(${BINS})`]])
		const list = (h?.counts || []).map((n, i) => ({ n, from: Number(h.min) + i * Number(h.width), to: i === h.counts.length - 1 ? Number(h.max) : Number(h.min) + (i + 1) * Number(h.width) }))
		return {
			head: [{ name: `${c.of} from`, end: true }, { name: 'to', end: true }, { name: 'rows', end: true }], list, cells: (r) => [figure(r.from), figure(r.to), figure(r.n)], height: HEIGHT,
			draw: (colours, { width }) => ({
				grid: { left: 8, right: 16, top: 32, bottom: 32, containLabel: true },
				tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, formatter: ([{ dataIndex: i }]) => `${figure(list[i].from)} to ${figure(list[i].to)}\n${counted(list[i].n)} rows` },
				xAxis: axis(colours, { type: 'category', data: list.map((r) => short(r.from)), splitLine: { show: false }, name: c.of, nameLocation: 'middle', nameGap: 30, axisLabel: { color: colours.text, hideOverlap: true } }),
				yAxis: { ...valueAxis(colours, width, 'rows'), nameLocation: 'end', nameGap: 12, nameTextStyle: { color: colours.faint, align: 'left' } },
				series: [{ type: 'bar', barCategoryGap: '4%', data: list.map((r) => r.n) }],
			}),
		}
	},
	async box({ model, t, c, ask }) {
		const found = await ask([['select', `${c.group ? `key:${columnName(c.group)},` : ''}box:${columnName(c.of)}.boxplot(200)`], [columnName(c.of), 'not.is.null'], ['limit', GROUPS + 1]])
		const labels = c.group ? await labelsOf(model, t.byName[c.group], found.map((r) => r.key)) : {}
		const list = found.slice(0, GROUPS).filter((r) => r.box?.n).map(({ key, box }) => {
			const whole = Object.fromEntries(Object.entries(box).map(([k, v]) => [k, Array.isArray(v) ? v.map(Number) : Number(v)]))
			return { ...whole, key: c.group ? (key === null ? '(null)' : labels[key] || shown(key)) : c.of }
		})
		const parts = [['n', 'rows'], ['min', 'least'], ['q1', '1st quartile'], ['median', 'median'], ['q3', '3rd quartile'], ['max', 'greatest'], ['mean', 'mean'], ['outlier_count', 'outliers']]
		return {
			head: [c.group || '', ...parts.map(([, name]) => ({ name, end: true }))], list, cells: (r) => [r.key, ...parts.map(([k]) => figure(r[k]))], height: boxplotHeight(list),
			note: `Boxes are quartiles with the median; whiskers end at the last value within 1.5 box lengths.${found.length > GROUPS ? ` The first ${GROUPS} groups are shown.` : ''}`,
			draw: boxplot(list, { unit: c.of, format: figure, short }),
		}
	},
	async map({ t, c, ask }) {
		const label = t.label && t.byName[t.label]?.readable ? t.label : null
		const [lat, lon] = [columnName(c.lat), columnName(c.lon)]
		const found = await ask([['select', [...new Set([...t.key, c.lat, c.lon, ...(label ? [label] : [])])].map(columnName).join(',')], [lat, 'gte.-90'], [lat, 'lte.90'], [lon, 'gte.-180'], [lon, 'lte.180'], ['limit', POINTS + 1]])
		const list = found.slice(0, POINTS)
		const name = (r) => (label && shown(r[label])) || t.key.map((k) => r[k]).join(' ')
		const open = (r) => address({ schema: t.schema, table: t.name, action: 'row', pairs: keyPairs(t, r) })
		const view = list.length ? around(list.map((r) => ({ longitude: Number(r[c.lon]), latitude: Number(r[c.lat]) }))) : null
		return {
			head: [t.name, { name: c.lat, end: true }, { name: c.lon, end: true }], list, height: 520, listed: 50,
			cells: (r) => [t.key.length ? html`<a href=${open(r)}>${name(r)}</a>` : name(r), figure(r[c.lat]), figure(r[c.lon])], texts: (r) => [name(r), r[c.lat], r[c.lon]],
			note: `${found.length > POINTS ? `The first ${counted(POINTS)} rows are shown. ` : ''}Rows without a place on earth are left out.${t.key.length ? ' A point opens its row.' : ''}`,
			draw: (colours, { width, height }) => {
				const now = fitted(view, width - 84, height - 60)
				const degrees = (plus, minus) => (v) => `${Math.abs(v).toFixed(2)}° ${v < 0 ? minus : plus}`
				return {
					grid: { left: 70, right: 14, top: 16, bottom: 44 },
					tooltip: { trigger: 'item', formatter: ({ data }) => `${name(data.row)}\n${figure(data.row[c.lat])}, ${figure(data.row[c.lon])}` },
					xAxis: axis(colours, { type: 'value', min: now.west, max: now.east, splitNumber: Math.max(2, Math.floor(width / 160)), axisLabel: { color: colours.text, formatter: degrees('E', 'W'), hideOverlap: true, showMinLabel: false, showMaxLabel: false } }),
					yAxis: axis(colours, { type: 'value', min: now.south, max: now.north, axisLabel: { color: colours.text, formatter: degrees('N', 'S'), showMinLabel: false, showMaxLabel: false } }),
					series: [{ type: 'scatter', symbolSize: 8, itemStyle: { opacity: .75, borderColor: colours.back, borderWidth: 1 }, data: list.map((row) => ({ value: [Number(row[c.lon]), Number(row[c.lat])], row })) }],
				}
			},
			pick: t.key.length ? ({ data }) => data?.row && (location.hash = open(data.row)) : undefined,
		}
	},
}

const valueAxis = (colours, width, name) => axis(colours, { type: 'value', name, nameLocation: 'middle', nameGap: 26, splitNumber: Math.max(3, Math.floor(width / 150)), axisLabel: { color: colours.text, formatter: short, hideOverlap: true } })

export function TableChart({ model, t, route }) {
	const s = listState(t, route.pairs)
	const c = choices(t, route.pairs)
	const where = wheres(t, s)
	const list = address({ schema: t.schema, table: t.name, pairs: statePairs(s) })
	const set = (change) => {
		const own = { ...Object.fromEntries(route.pairs.filter(([k]) => k[0] === '!')), ...Object.fromEntries(Object.entries(change).map(([k, v]) => ['!' + k, v])) }
		go({ ...route, pairs: [...statePairs(s), ...Object.entries(own).filter(([, v]) => v !== undefined)] })
	}
	useEffect(() => void charts().catch(() => {}), [])
	const load = useLoad(async (signal) => {
		if (!c.kind) return null
		const ask = async (pairs) => (await rows(t.name, [...pairs, ...where], { schema: t.schema, signal })).rows
		return { ...(await LOADERS[c.kind]({ model, t, c, where: statePairs({ ...s, order: [], offset: 0 }), ask })), kind: c.kind }
	}, [JSON.stringify(route.pairs), t])
	const d = load.data
	const draw = useMemo(() => d?.draw, [d])
	const title = `${KINDS[c.kind] || 'Chart'} of ${t.name}`
	const save = () => saveTable(d.head.map((h, i) => ({ label: h.name ?? h, value: (r) => (d.texts || d.cells)(r)[i] })), d.list, `${t.name}-${d.kind}.csv`)
	return html`<div><div class="d-flex flex-wrap gap-2 align-items-center mb-2"><h1 class="h4 m-0 me-auto text-break">${t.name}: chart</h1><a class="btn btn-sm btn-outline-secondary" href=${list}>Rows</a></div>
		${s.filters.length + (s.q ? 1 : 0) > 0 && html`<p class="text-body-secondary small">Of the rows that match the filters of the <a href=${list}>list</a>.</p>`}
		${!c.kind && html`<${Empty} title="Nothing here can be drawn"><p class="mb-0">A chart needs a column of numbers, dates or short values.</p><//>`}
		${c.kind && html`<${Controls} t=${t} c=${c} set=${set} />`}
		${load.error && html`<${Problem} error=${load.error} retry=${load.again} />`}
		${!d && load.loading && html`<${Loading} what="Counting" />`}
		${d && !load.error && !d.list.length && html`<${Empty} title="No row has a value to draw"><a class="btn btn-sm btn-outline-secondary" href=${list}>See the rows</a><//>`}
		${d && !load.error && d.list.length > 0 && html`<div class=${load.loading ? 'stale' : ''} aria-busy=${load.loading}>
			<${Chart} key=${d.kind} draw=${draw} height=${d.height} onPick=${d.pick} label=${`${title}, ${counted(d.list.length)} figures. They are in the table below.`} />
			${d.note && html`<p class="small text-body-secondary mt-2">${d.note}</p>`}
			<div class="figures-below"><${Grid} name="Figures" head=${d.head} rows=${d.list.slice(0, d.listed || PERIODS).map(d.cells)} /></div>
			${d.listed < d.list.length && html`<p class="small text-body-secondary mt-1">${d.listed} of ${counted(d.list.length)}; the file has all.</p>`}
			<button type="button" class="btn btn-sm btn-outline-secondary mt-2" onClick=${save}>These figures as CSV</button></div>`}
	</div>`
}
