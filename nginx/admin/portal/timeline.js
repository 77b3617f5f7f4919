// The units of an incident beside each other: what each was doing, from one report to the next.
import { html } from '../shared/html.js'
import { localTime } from '../shared/time.js'
import { useColours } from './chart.js'
import { duration } from './format.js'

// In the order in which they follow each other; what a report begins.
const meanings = {
	dispatched: 'turning out', acknowledged: 'turning out (acknowledged)', enroute: 'on the way', arrived: 'at the scene', cleared: 'leaving', available: 'available',
}
const colourOf = { dispatched: 4, acknowledged: 1, enroute: 0, arrived: 2, cleared: 3 }
const LAST = 7
const steps = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400]

export const ordered = (reports) => [...reports].sort((a, b) => a.timestamp.localeCompare(b.timestamp) || Object.keys(meanings).indexOf(a.status) - Object.keys(meanings).indexOf(b.status))

const ticks = (span, width) => {
	const step = steps.find((s) => span / s <= width) || Math.ceil(span / width)
	return Array.from({ length: Math.floor(span / step) + 1 }, (_, i) => i * step)
}

function Unit({ unit, begin, span, colours }) {
	const reports = ordered(unit.unit_status)
	const at = (time) => (100 * (Date.parse(time) - begin)) / 1000 / span
	return html`<div class="unit-name"><b>${unit.unit_id}</b> <span class="text-body-secondary">${unit.unit_type}</span></div>
		<div class="unit-track">${reports.slice(0, -1).map((r, i) => {
			const end = reports[i + 1]
			const width = at(end.timestamp) - at(r.timestamp)
			return width > 0 && html`<span class="unit-part" title=${`${r.status} ${localTime(r.timestamp)}: ${meanings[r.status] || r.status} for ${duration((Date.parse(end.timestamp) - Date.parse(r.timestamp)) / 1000)}`}
				style=${{ left: `${at(r.timestamp)}%`, width: `${width}%`, background: colours.many[colourOf[r.status] ?? LAST] }}></span>`
		})}</div>`
}

export function Timeline({ opened, units }) {
	const colours = useColours()
	const times = units.flatMap((u) => u.unit_status.map((s) => Date.parse(s.timestamp)))
	if (!times.length) return null
	const begin = Math.min(Date.parse(opened), ...times)
	const span = Math.max(60, (Math.max(...times) - begin) / 1000)
	const known = Object.keys(colourOf).filter((s) => units.some((u) => u.unit_status.some((r) => r.status === s)))
	return html`<figure class="timeline m-0"><figcaption class="visually-hidden">What each unit did and when. The reports are in the tables below.</figcaption>
		<ul class="legend">${known.map((s) => html`<li><span class="swatch" style=${{ background: colours.many[colourOf[s]] }}></span>${meanings[s]}</li>`)}</ul>
		<div class="timeline-grid" aria-hidden="true">
			${units.map((unit) => html`<${Unit} key=${unit.id} unit=${unit} begin=${begin} span=${span} colours=${colours} />`)}
			<div></div><div class="unit-ticks">${ticks(span, 8).map((t) => html`<span style=${{ left: `${(100 * t) / span}%` }}>${duration(t)}</span>`)}</div>
		</div>
		<p class="small text-body-secondary mb-2">Minutes since the call was opened.</p>
	</figure>`
}
