// Figures as people read them.
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', maximumFractionDigits: 0 })

export const none = '–'
export const number = (n) => (n === null || n === undefined ? none : whole.format(n))
export const money = (n) => (n === null || n === undefined ? none : dollars.format(n))

// Seconds as m:ss or h:mm:ss.
export function duration(seconds) {
	if (seconds === null || seconds === undefined) return none
	const s = Math.round(Math.abs(seconds))
	const pad = (n) => String(n).padStart(2, '0')
	const text = s < 3600 ? `${Math.floor(s / 60)}:${pad(s % 60)}` : `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`
	return seconds < 0 ? `-${text}` : text
}

// What a group or a choice is called.
export const named = (value) => (value === null || value === undefined || value === '' ? '(none)' : String(value))

export const size = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`)
