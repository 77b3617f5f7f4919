// Before anything is drawn: the colours the reader chose, else those of the system.
(() => {
	const system = matchMedia('(prefers-color-scheme: dark)')
	const apply = () => {
		let chosen = null
		try {
			chosen = localStorage.getItem('rowgate.theme')
		} catch {
			// Storage may be closed; then the system decides.
		}
		document.documentElement.dataset.bsTheme = chosen || (system.matches ? 'dark' : 'light')
	}
	apply()
	system.addEventListener('change', apply)
	addEventListener('rowgate:theme', apply)
})()
