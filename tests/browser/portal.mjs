// What the tests of the portal share: its tables and charts, and the figures they are to show.
import assert from 'node:assert/strict'
import fs from 'node:fs'

const patience = 60000

// Tries again until it holds.
export async function eventually(check) {
	const end = Date.now() + patience
	for (;;) {
		try {
			return await check()
		} catch (error) {
			if (Date.now() > end) throw error
			await new Promise((resolve) => setTimeout(resolve, 100))
		}
	}
}

export async function goTo(page, hash, title) {
	await page.evaluate((h) => (location.hash = h), hash)
	await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor()
}

// The rows of the first table of figures, as texts.
export const figures = (page) =>
	page.locator('table.figures').first().evaluate((table) => [...table.tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent)))

export async function chartsDrawn(page) {
	await page.locator('.chart svg path').nth(3).waitFor({ state: 'attached' })
	const label = await page.locator('.chart [role=img]').getAttribute('aria-label')
	assert.ok(label.length > 20)
}

// Quartiles by linear interpolation: [[group, n, smallest, q1, median, q3, largest]], of those with a value.
export function quartiles(list, key, value, order) {
	const groups = new Map()
	for (const row of list) if (value(row) !== null) groups.set(key(row), [...(groups.get(key(row)) || []), value(row)])
	const at = (sorted, q) => {
		const place = (sorted.length - 1) * q
		const low = Math.floor(place)
		return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low])
	}
	return [...groups].sort(([a], [b]) => (order ? order(a, b) : a.localeCompare(b, undefined, { numeric: true }))).map(([name, values]) => {
		const sorted = values.sort((a, b) => a - b)
		return [name, sorted.length, ...[0, 0.25, 0.5, 0.75, 1].map((q) => at(sorted, q))]
	})
}

// What a button saves.
export async function csvOf(page, name) {
	const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
	return fs.readFileSync(await download.path(), 'utf8')
}

export const csvRows = (text) => text.trim().split(/\r?\n/).map((line) => line.split(','))
