// Where the reader is, behind the # of the address: #/wages?by=gender&division=HR. What repeats is a choice of several,
// an empty word stands for null. So every page as it is seen can be kept, shared and gone back to.
import { useEffect, useState } from '../shared/html.js'

function here() {
	const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?')
	return { path: path.replace(/\/+$/, ''), query: new URLSearchParams(query) }
}

export function href(path, query = '') {
	const text = new URLSearchParams(query).toString()
	return `#/${path}${text && '?' + text}`
}

// The query with some names changed: to a word, to several, or to none (null or []).
export function changed(query, changes) {
	const next = new URLSearchParams(query)
	for (const [name, value] of Object.entries(changes)) {
		next.delete(name)
		for (const word of value === null ? [] : [value].flat()) next.append(name, word)
	}
	return next
}

// { path, query, set(changes), link(changes) }. set with replace leaves no step to go back to.
export function useRoute() {
	const [route, move] = useState(here)
	useEffect(() => {
		const look = () => move(here())
		addEventListener('hashchange', look)
		return () => removeEventListener('hashchange', look)
	}, [])
	const link = (changes) => href(route.path, changed(here().query, changes))
	const set = (changes, replace) => {
		if (!replace) {
			location.hash = link(changes)
			return
		}
		history.replaceState(null, '', link(changes))
		move(here())
	}
	return { ...route, link, set }
}
