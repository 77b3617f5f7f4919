// Where the page is: #SCHEMA/TABLE[/new|/row|/import]?pairs. The pairs of a list are the query that the API is asked.
import { useEffect, useState } from '../shared/html.js'

export function parse(hash) {
	const [path, ...rest] = hash.replace(/^#/, '').split('?')
	const [schema, table, action] = path.split('/').map((p) => {
		try {
			return decodeURIComponent(p)
		} catch {
			return p
		}
	})
	return { schema, table, action, pairs: [...new URLSearchParams(rest.join('?'))] }
}

export function address({ schema, table, action, pairs = [] }) {
	const path = [schema, table, action].filter((p) => p !== undefined && p !== '').map(encodeURIComponent).join('/')
	const text = pairs.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join('&')
	return `#${path}${text && '?' + text}`
}

export const go = (route) => (location.hash = address(route))

export function useRoute() {
	const [hash, set] = useState(location.hash)
	useEffect(() => {
		const moved = () => set(location.hash)
		addEventListener('hashchange', moved)
		return () => removeEventListener('hashchange', moved)
	}, [])
	return parse(hash)
}
