// A chart of a list, and the search over all tables.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { after, before, test } from 'node:test'
import { accessible, launch, open, picture, quit, signIn, url, well } from './browser.mjs'
import { eventually } from './portal.mjs'
import { dropTables, makeTables, sql } from './tables.mjs'

before(async () => {
	await makeTables()
	await launch()
})
after(async () => {
	await quit()
	await dropTables()
})

const at = async (place) => {
	const page = await open()
	await page.go('/admin/#' + place)
	await signIn(page)
	return page
}
const figures = (page) => page.getByRole('region', { name: 'Figures' }).locator('tbody tr').evaluateAll((rows) => rows.map((r) => [...r.cells].map((c) => c.textContent)))
// The figures of what was chosen last: `first` is the first row's.
const shows = async (page, first) => {
	await page.waitForFunction((text) => {
		const row = document.querySelector('.figures-below tbody tr')
		return row && !document.querySelector('[aria-busy=true]') && [...row.cells].map((c) => c.textContent).join('|') === text
	}, first.join('|')).catch(async (e) => { throw new Error(JSON.stringify((await figures(page))[0]), { cause: e }) })
	await page.locator('.chart svg path').first().waitFor({ state: 'attached' })
}

test('bars of groups, filtered as the list was; a bar opens its rows', async () => {
	const page = await at('wages/web_thing?amount=lte.9')
	await page.getByText('of 12').waitFor()
	await page.getByRole('link', { name: 'Chart' }).click()
	await page.getByLabel('Chart', { exact: true }).selectOption('bars')
	await shows(page, ['small', '6'])
	assert.deepEqual(await figures(page), [['small', '6'], ['large', '3'], ['odd', '3']])
	await page.getByLabel('Of', { exact: true }).selectOption('sum')
	await page.getByLabel('Column').selectOption('amount')
	await shows(page, ['small', '21'])
	await page.getByLabel('For each').selectOption('maker')
	await page.getByLabel('Of', { exact: true }).selectOption('count')
	await page.getByRole('region', { name: 'Figures' }).getByText('Zenith & Co').waitFor()
	await accessible(page, 'bars')
	await picture(page, 'admin-chart-bars')
	const address = page.url()
	await page.reload()
	await page.getByRole('region', { name: 'Figures' }).getByText('Zenith & Co').waitFor()
	assert.equal(page.url(), address)
	const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'These figures as CSV' }).click()])
	assert.match(fs.readFileSync(await file.path(), 'utf8'), /^maker,rows\r\n/)
	await page.getByLabel('For each').selectOption('kind')
	await shows(page, ['small', '6'])
	await eventually(async () => {
		const chart = await page.getByRole('img', { name: /^Bars of web_thing/ }).boundingBox()
		await page.mouse.move(chart.x + chart.width / 3, chart.y + 22)
		await page.mouse.click(chart.x + chart.width / 3, chart.y + 22)
		assert.equal(await page.getByRole('link', { name: 'Chart' }).count(), 1)
	})
	await page.getByText('1–6 of 6').waitFor()
	assert.match(decodeURIComponent(page.url()), /amount=lte\.9&kind=eq\.small/)
	await well(page)
})

test('over time, histogram, box and whisker, points on a plane', async () => {
	sql('CREATE TABLE web_spot (id INT PRIMARY KEY, name VARCHAR(20), latitude DECIMAL(9,6), longitude DECIMAL(9,6)); INSERT INTO web_spot VALUES (1, \'one\', 38.1, -75.6), (2, \'two\', 38.2, -75.5), (3, \'nowhere\', NULL, NULL); GRANT SELECT ON web_spot TO service_role;')
	const page = await at('wages/web_thing/chart?!kind=time&!by=made&!part=year_month')
	await shows(page, ['2024-01', '30'])
	await page.getByLabel('For each').selectOption('weekday')
	await shows(page, ['Monday', '25'])
	await page.getByLabel('Of', { exact: true }).selectOption('max')
	await page.getByLabel('Column').selectOption('amount')
	await shows(page, ['Monday', '175'])
	await accessible(page, 'time')
	await picture(page, 'admin-chart-time')
	await page.getByLabel('Chart', { exact: true }).selectOption('histogram')
	await page.getByLabel('Of', { exact: true }).selectOption('amount')
	await shows(page, ['1', '9.95', '12'])
	assert.equal((await figures(page)).reduce((sum, r) => sum + Number(r[2]), 0), 183)
	await accessible(page, 'histogram')
	await picture(page, 'admin-chart-histogram')
	await page.getByLabel('Chart', { exact: true }).selectOption('box')
	await page.getByLabel('For each').selectOption('')
	await shows(page, ['amount', '183', '1', '43.5', '89', '134.5', '180', '89.0328', '0'])
	await page.getByLabel('For each').selectOption('kind')
	await page.getByRole('region', { name: 'Figures' }).getByText('odd').waitFor()
	await accessible(page, 'box')
	await picture(page, 'admin-chart-box')
	// Published by itself within seconds.
	for (let i = 0; i < 100 && !(await page.getByRole('link', { name: 'web_spot', exact: true }).count()); i++) {
		await page.waitForTimeout(300)
		await page.reload()
		await page.getByRole('link', { name: 'web_thing', exact: true }).waitFor()
	}
	await page.go('/admin/#wages/web_spot/chart?!kind=map')
	await shows(page, ['one', '38.1', '-75.6'])
	assert.equal((await figures(page)).length, 2)
	await accessible(page, 'map')
	await picture(page, 'admin-chart-map')
	await page.getByRole('region', { name: 'Figures' }).getByRole('link', { name: 'two' }).click()
	await page.getByRole('heading', { name: 'two' }).waitFor()
	// Nothing to draw, and an address that somebody has changed.
	await page.go('/admin/#wages/web_thing/chart?!kind=nonsense&!by=none&id=eq.0')
	await page.getByText('No row has a value to draw').waitFor()
	await page.go('/admin/#wages/web_thing/chart?nothing=eq.1')
	await page.getByRole('alert').waitFor()
	await well(page)
})

test('a search over all tables, by the keyboard', async () => {
	const page = await at('wages')
	const box = page.getByLabel('Search all tables')
	await box.fill('thing 001')
	await page.keyboard.press('Enter')
	const things = page.getByRole('region', { name: 'web_thing', exact: true })
	await things.getByText('thing 001').waitFor()
	await page.getByText('is in 1 of the').waitFor()
	await accessible(page, 'everywhere')
	await box.fill('o')
	await page.keyboard.press('Enter')
	await page.getByRole('region', { name: 'web_maker', exact: true }).getByText('Zenith & Co').waitFor()
	await page.getByText(/is in \d+ of the/).waitFor()
	await picture(page, 'admin-everywhere')
	await box.fill('qq"),id.gt.0)(%_')
	await page.keyboard.press('Enter')
	await page.getByText('Nothing found').waitFor()
	await box.fill('thing 001')
	await page.keyboard.press('Enter')
	await things.getByRole('link', { name: 'web_thing' }).focus()
	await page.keyboard.press('Enter')
	await page.getByText('1–1 of 1').waitFor()
	assert.equal(await page.getByLabel('Search web_thing').inputValue(), 'thing 001')
	await well(page)
})

test('a search finds words of long texts that have an index', async () => {
	sql(`CREATE TABLE web_text (id INT PRIMARY KEY, name VARCHAR(20), body TEXT, bare TEXT, FULLTEXT KEY (body));
		INSERT INTO web_text VALUES (1, 'one', 'A swordfish, and (more)', 'x'), (2, 'two', 'nothing', 'swordfish'); GRANT SELECT ON web_text TO service_role;`)
	const page = await at('wages')
	const box = page.getByLabel('Search all tables')
	const found = page.getByRole('region', { name: 'web_text', exact: true })
	// Published by itself within seconds; a page knows the tables that were there when it was opened.
	for (let i = 0; i < 100 && !(await found.count()); i++) {
		await page.reload()
		await box.fill('the swordf" and')
		await page.keyboard.press('Enter')
		await page.getByText(/is in \d+ of the/).waitFor()
	}
	await found.getByRole('link', { name: 'Open 1' }).waitFor()
	assert.equal(await found.getByRole('link', { name: /^Open/ }).count(), 1)
	await found.getByRole('link', { name: 'web_text' }).click()
	await page.getByText('1–1 of 1').waitFor()
	await well(page)
})

test('a page with a chart is light', async () => {
	const { weight, sizes } = await (await fetch(url + '/assets/sizes.json')).json()
	const later = Object.entries(sizes).filter(([name]) => /^(echarts|chart)-.*\.js$/.test(name)).map(([, n]) => n)
	assert.ok(later.length >= 2)
	assert.ok(weight.admin + later.reduce((a, b) => a + b) <= 320000, `${weight.admin} + ${later}`)
})
