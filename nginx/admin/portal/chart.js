// A chart and its colours. A chart is a picture with a name; the figures in it stand in a table beneath, for everybody who
// cannot see it or point at it.
import { html, useEffect, useRef, useState } from '../shared/html.js'
import { Loading } from '../shared/layout.js'

// Told apart by the colour-blind too; the last is for all that have none of their own.
const palette = {
	light: ['#0072b2', '#c44e00', '#00805d', '#b0508a', '#8a6d00', '#2f8fd0', '#6b4fa0', '#737373'],
	dark: ['#56b4e9', '#ff9d5c', '#4fd1a5', '#f0a6cf', '#e3c44a', '#a5d8f7', '#bba4ea', '#bdbdbd'],
}

function coloursNow() {
	const root = document.documentElement
	const style = getComputedStyle(root)
	const css = (name) => style.getPropertyValue(name).trim()
	return {
		text: css('--bs-body-color'), faint: css('--bs-secondary-color'), line: css('--bs-border-color'), back: css('--bs-body-bg'),
		font: getComputedStyle(document.body).fontFamily,
		many: palette[root.dataset.bsTheme === 'dark' ? 'dark' : 'light'],
	}
}

let library = null
// The library, asked for once; a page with a chart asks while its figures are on their way.
export const charts = () => (library = library || import('./echarts.js').catch((error) => {
	library = null
	throw error
}))

export function useColours() {
	const [colours, set] = useState(coloursNow)
	useEffect(() => {
		const watch = new MutationObserver(() => set(coloursNow()))
		watch.observe(document.documentElement, { attributes: true, attributeFilter: ['data-bs-theme'] })
		return () => watch.disconnect()
	}, [])
	return colours
}

// What all charts have. Tooltips of HTML would need styles that the policy refuses, and would not be escaped.
const common = (c) => ({
	animation: false,
	color: c.many,
	textStyle: { color: c.text, fontFamily: c.font },
	tooltip: { renderMode: 'richText', confine: true, backgroundColor: c.back, borderColor: c.line, textStyle: { color: c.text } },
})

export const axis = (c, more) => ({
	axisLine: { lineStyle: { color: c.line } },
	axisTick: { lineStyle: { color: c.line } },
	axisLabel: { color: c.text, hideOverlap: true },
	nameTextStyle: { color: c.faint },
	splitLine: { lineStyle: { color: c.line, opacity: .6 } },
	...more,
})

// draw(colours, { width, height }): the option of ECharts. onPick is given what was clicked on.
export function Chart({ draw, height, label, onPick }) {
	const box = useRef()
	const chart = useRef()
	const pick = useRef()
	const colours = useColours()
	const [echarts, setEcharts] = useState(null)
	const [failed, setFailed] = useState(false)
	const [width, setWidth] = useState(0)
	pick.current = onPick
	const load = () => {
		setFailed(false)
		charts().then(setEcharts, () => setFailed(true))
	}
	useEffect(load, [])
	useEffect(() => {
		const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)))
		watch.observe(box.current)
		return () => {
			watch.disconnect()
			chart.current?.dispose()
		}
	}, [])
	useEffect(() => {
		if (!echarts || !width) return
		if (!chart.current) {
			chart.current = echarts.init(box.current, null, { renderer: 'svg', width, height })
			chart.current.on('click', (event) => pick.current?.(event))
		}
		chart.current.resize({ width, height })
		const { tooltip, ...option } = draw(colours, { width, height })
		const base = common(colours)
		chart.current.setOption({ ...base, ...option, tooltip: { ...base.tooltip, ...tooltip } }, { notMerge: true })
	}, [echarts, width, height, colours, draw])
	return html`<figure class="chart m-0">
		${failed && html`<p class="p-3" role="alert">The chart could not be loaded; its figures are in the table below.
			<button type="button" class="btn btn-sm btn-outline-secondary ms-2" onClick=${load}>Try again</button></p>`}
		${!echarts && !failed && html`<${Loading} what="Loading the chart" />`}
		<div ref=${box} role="img" aria-label=${label} class=${onPick ? 'pick' : ''} style=${{ height: `${height}px` }} hidden=${!echarts}></div>
	</figure>`
}

// Names beside their colours.
export const Legend = ({ names, colours }) => html`<ul class="legend">
	${names.map((name, i) => html`<li><span class="swatch" style=${{ background: colours[i] }}></span>${name}</li>`)}
</ul>`
