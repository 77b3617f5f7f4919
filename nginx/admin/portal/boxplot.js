// Box and whisker of groups, lying, so that names have room on narrow screens.
import { axis } from './chart.js'
import { named, number } from './format.js'

const ROW = 30

// Seconds between the marks of an axis of time.
const STEPS = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400]

const LEAST_WIDTH = 90

// From nought to beyond the largest, in whole minutes and the like.
function clockAxis(groups, width) {
	const largest = Math.max(1, ...groups.map((g) => g.max))
	const marks = Math.max(2, Math.floor(width / LEAST_WIDTH))
	const interval = STEPS.find((s) => largest / s <= marks) || Math.ceil(largest / marks)
	return { min: Math.min(0, ...groups.map((g) => Math.floor(g.min / interval) * interval)), max: Math.ceil(largest / interval) * interval, interval }
}

export const boxplotHeight = (groups) => 56 + ROW * Math.max(groups.length, 2)

export const boxplot = (groups, { unit, format, short, clock }) => (c, { width }) => ({
	grid: { left: 8, right: 20, top: 8, bottom: 40, containLabel: true },
	tooltip: {
		trigger: 'item',
		formatter: ({ seriesType, data, dataIndex }) => (seriesType === 'scatter'
			? `${named(groups[data[1]].key)}\noutlier ${format(data[0])}`
			: describe(groups[dataIndex], format)),
	},
	yAxis: axis(c, {
		type: 'category', inverse: true, data: groups.map((g) => named(g.key)), splitLine: { show: false },
		axisLabel: { color: c.text, interval: 0, width: Math.min(170, width * .34), overflow: 'truncate' },
	}),
	xAxis: axis(c, {
		type: 'value', scale: true, ...(clock ? clockAxis(groups, width) : {}), name: unit, nameLocation: 'middle', nameGap: 26, splitNumber: Math.max(3, Math.floor(width / 130)),
		axisLabel: { color: c.text, formatter: short, hideOverlap: true },
	}),
	series: [
		{
			type: 'boxplot', data: groups.map((g) => [g.lower_whisker, g.q1, g.median, g.q3, g.upper_whisker]),
			boxWidth: [8, 18], itemStyle: { color: `${c.many[0]}40`, borderColor: c.many[0], borderWidth: 1.6 },
		},
		{
			type: 'scatter', symbolSize: 6, itemStyle: { color: 'transparent', borderColor: c.many[1], borderWidth: 1.4 },
			data: groups.flatMap((g, i) => g.outliers.map((value) => [value, i])),
		},
	],
})

const describe = (g, format) => [
	`${named(g.key)}  n = ${number(g.n)}`, `largest ${format(g.max)}`, `upper whisker ${format(g.upper_whisker)}`,
	`third quartile ${format(g.q3)}`, `median ${format(g.median)}`, `first quartile ${format(g.q1)}`,
	`lower whisker ${format(g.lower_whisker)}`, `smallest ${format(g.min)}`,
].join('\n')
