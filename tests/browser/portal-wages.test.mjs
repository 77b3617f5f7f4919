// The real wages in the chart: HR has 41 people and 55558, 95413, 131465, 198242, 332100. Other rows are put back.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { api, launch, open, picture, quit, serviceKey, signIn, url, well } from './browser.mjs'
import { chartsDrawn, eventually, figures } from './portal.mjs'

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../shared/data/wages')
const tables = ['employee_directory', 'salary_history']
const write = { 'Content-Profile': 'wages' }
const clear = async () => {
	for (const table of [...tables].reverse()) await api('DELETE', `/rest/v1/${table}?eid=gte.0`, undefined, write)
}

before(launch)
after(quit)

test('the real wages', { skip: !fs.existsSync(folder) && 'needs ../shared/data' }, async () => {
	const before = []
	for (const table of tables) before.push(await api('GET', `/rest/v1/${table}`, undefined, { 'Accept-Profile': 'wages' }))
	const page = await open()
	try {
		await clear()
		for (const table of tables) {
			const answer = await fetch(`${url}/rest/v1/${table}`, {
				method: 'POST', body: fs.readFileSync(path.join(folder, `${table}.csv`)),
				headers: { ...write, Authorization: `Bearer ${serviceKey}`, 'Content-Type': 'text/csv; date-format="%m/%d/%y"' },
			})
			assert.equal(answer.status, 201, await answer.text())
		}
		await page.go('/#/wages')
		await signIn(page)
		await eventually(async () => {
			const rows = await figures(page)
			assert.equal(rows.length, 12)
			const hr = rows.find((r) => r[0] === 'HR').slice(1)
			assert.deepEqual([hr[0], ...[1, 2, 3, 4, 6].map((i) => hr[i])], ['41', '$55,558', '$95,413', '$131,465', '$198,242', '$332,100'])
		})
		await chartsDrawn(page)
		await picture(page, 'wages-real')
	} finally {
		await clear()
		for (const [i, table] of tables.entries()) if (before[i].length) await api('POST', `/rest/v1/${table}`, before[i], write)
	}
	await well(page)
})
