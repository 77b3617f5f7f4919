// A button with a list of actions: arrows move, Escape closes.
import { html, useEffect, useRef, useState } from '../shared/html.js'

export function Menu({ name, items }) {
	const [open, set] = useState(false)
	const box = useRef()
	useEffect(() => {
		if (!open) return
		box.current.querySelector('[role=menuitem]')?.focus()
		const outside = (e) => box.current.contains(e.target) || set(false)
		document.addEventListener('pointerdown', outside)
		return () => document.removeEventListener('pointerdown', outside)
	}, [open])
	const keys = (e) => {
		const all = [...box.current.querySelectorAll('[role=menuitem]')]
		const at = all.indexOf(document.activeElement)
		const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key]
		if (open && to !== undefined) {
			e.preventDefault()
			all[(to + all.length) % all.length].focus()
		}
		if (e.key === 'Escape' || e.key === 'Tab') {
			set(false)
			if (e.key === 'Escape') box.current.querySelector('button').focus()
		}
	}
	return html`<div class="dropdown" ref=${box} onKeyDown=${keys}>
		<button type="button" class="btn btn-sm btn-outline-secondary dropdown-toggle" aria-haspopup="menu" aria-expanded=${open} onClick=${() => set(!open)}>${name}</button>
		${open && html`<div class="dropdown-menu show" role="menu" aria-label=${name}>
			${items.map(([text, act]) => html`<button type="button" class="dropdown-item" role="menuitem" tabindex="-1" onClick=${() => { set(false); act() }}>${text}</button>`)}</div>`}
	</div>`
}
