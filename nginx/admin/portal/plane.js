// The part of the plane of longitude and latitude that is seen: { west, east, south, north }. A degree of longitude is
// shorter than one of latitude by the cosine of the latitude, and the chart keeps that.
const LEAST = 0.002

const squeeze = (view) => Math.max(0.05, Math.cos((((view.south + view.north) / 2) * Math.PI) / 180))

// The view of all points, with some room around them.
export function around(points) {
	const lon = points.map((p) => p.longitude)
	const lat = points.map((p) => p.latitude)
	const span = (list) => list.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity])
	const [west, east] = span(lon)
	const [south, north] = span(lat)
	const room = Math.max(LEAST, (east - west) * 0.04, (north - south) * 0.04)
	return { west: west - room, east: east + room, south: south - room, north: north + room }
}

// The view made wider or higher, until it fits a picture of this shape.
export function fitted(view, width, height) {
	const shrink = squeeze(view)
	const wide = (view.east - view.west) * shrink
	const high = view.north - view.south
	const degree = Math.max(wide / width, high / height)
	const moreWide = ((degree * width - wide) / shrink) / 2
	const moreHigh = (degree * height - high) / 2
	return { west: view.west - moreWide, east: view.east + moreWide, south: view.south - moreHigh, north: view.north + moreHigh }
}

// factor below 1 comes nearer; x and y (0 to 1, from the west and the north) stay where they are.
export function zoomed(view, factor, x = 0.5, y = 0.5) {
	const wide = view.east - view.west
	const high = view.north - view.south
	if (factor < 1 && Math.min(wide, high) * factor < LEAST / 4) return view
	if (factor > 1 && (wide * factor > 360 || high * factor > 180)) return view
	const lon = view.west + x * wide
	const lat = view.north - y * high
	return { west: lon - x * wide * factor, east: lon + (1 - x) * wide * factor, north: lat + y * high * factor, south: lat - (1 - y) * high * factor }
}

// By parts of what is seen, to the east and to the north.
export function moved(view, x, y) {
	const lon = x * (view.east - view.west)
	const lat = y * (view.north - view.south)
	return { west: view.west + lon, east: view.east + lon, south: view.south + lat, north: view.north + lat }
}

export const inside = (view, p) => p.longitude >= view.west && p.longitude <= view.east && p.latitude >= view.south && p.latitude <= view.north

export const written = (view) => [view.west, view.south, view.east, view.north].map((n) => n.toFixed(5)).join(',')

export function read(text) {
	const n = (text || '').split(',').map(Number)
	return n.length === 4 && n.every(Number.isFinite) && n[0] < n[2] && n[1] < n[3] ? { west: n[0], south: n[1], east: n[2], north: n[3] } : null
}
