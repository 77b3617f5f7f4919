// The portal: what is here, wages, incidents, upload; used with the mouse and the keyboard, by those who may and who may not.
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { accessible, api, launch, open, picture, quit, signIn, url, well } from './browser.mjs'
import { chartsDrawn, csvOf, csvRows, eventually, figures, goTo, quartiles } from './portal.mjs'

const wages = { 'Accept-Profile': 'wages' }
const incidents = { 'Accept-Profile': 'incidents' }
const bad = '<img src=x onerror="window.__xss=1"><b>bold</b>'
const secret = crypto.randomUUID()
const users = []
let page

async function userOf(role) {
	const email = `portal-${role}-${crypto.randomUUID()}@example.com`
	users.push((await api('POST', '/auth/v1/admin/users', { email, password: secret, role })).id)
	return email
}

before(async () => {
	await launch()
	page = await open()
	await page.go('/#/wages')
	await signIn(page)
})
after(async () => {
	for (const id of users) await api('DELETE', `/auth/v1/admin/users/${id}`)
	await quit()
})

beforeEach(() => page.unrouteAll())

// No page is wider than the screen, but for tables that scroll within it.
async function fits(what) {
	await page.setViewportSize({ width: 390, height: 844 })
	await eventually(async () => {
		const wide = await page.evaluate(() => document.documentElement.scrollWidth)
		assert.ok(wide <= 390, `${what} is ${wide} pixels wide`)
	})
	await page.setViewportSize({ width: 1280, height: 900 })
}

async function looksWell(name) {
	await accessible(page, name)
	await fits(name)
	await picture(page, name)
}

test('a visitor sees what everybody may read, and more after signing in', async () => {
	const visitor = await open()
	await visitor.go('/')
	const table = (name) => visitor.getByRole('table', { name: `Tables of ${name}` })
	await table('incidents').getByRole('row', { name: /^incident Emergency calls/ }).waitFor()
	const [{ count }] = await api('GET', '/rest/v1/incident?select=count()', undefined, incidents)
	await eventually(async () => assert.match(await table('incidents').getByRole('row', { name: /^incident Emergency/ }).innerText(), new RegExp(`\\b${count}$`)))
	assert.equal(await table('wages').count(), 0)
	await accessible(visitor, 'overview of a visitor')
	await visitor.getByRole('banner').getByRole('button', { name: 'Sign in' }).click()
	await visitor.getByRole('dialog').getByLabel('Email').fill(await userOf('service_role'))
	await visitor.getByRole('dialog').getByLabel('Password').fill(secret)
	await visitor.keyboard.press('Enter')
	await table('wages').getByRole('link', { name: 'employee_directory' }).waitFor()
	assert.equal(await table('wages').getByRole('link', { name: 'compensation' }).getAttribute('href'), '/admin/#wages/compensation')
	await visitor.getByRole('button', { name: 'Sign out' }).click()
	await table('wages').waitFor({ state: 'detached' })
	await well(visitor)
})

test('an instance that shows visitors nothing asks to sign in; one that does not describe itself says so', async () => {
	const visitor = await open()
	let answer = { json: { 'x-databases': ['wages'], components: { schemas: {} } } }
	await visitor.route('**/rest/v1/', (route) => route.fulfill(answer))
	await visitor.go('/')
	await visitor.getByText('This instance shows nothing to visitors').waitFor()
	assert.equal(await visitor.getByRole('table').count(), 0)
	answer = { status: 404, json: { code: 'PGRST126', message: 'Root endpoint metadata is disabled', details: null, hint: null } }
	await visitor.reload()
	await visitor.getByText('This instance does not describe itself').waitFor()
	await accessible(visitor, 'no description')
	await well(visitor)
})

test('wages ask visitors to sign in, and tell a role without the right so', async () => {
	const other = await open()
	await other.go('/#/wages')
	await other.getByText('Salaries are not for everybody').waitFor()
	await accessible(other, 'wages of a visitor')
	await signIn(other, await userOf('authenticated'), secret)
	await other.getByText('closed to the role authenticated').waitFor()
	await accessible(other, 'wages refused')
	assert.equal(await other.getByRole('table').count(), 0)
	await well(other)
})

test('compensation: figures, groups, filters by keyboard, state in the address, CSV', async () => {
	const people = await api('GET', '/rest/v1/compensation?select=division,department,gender,salary,hire_date,performance', undefined, wages)
	const expected = (list, key, order) => quartiles(list, key, (p) => p.salary, order)
	const shown = async () => (await figures(page)).map((row) => [row[0], ...[1, 2, 3, 4, 5, 7].map((i) => Number(row[i].replace(/[$,]/g, '')))])
	const rounded = (list) => list.map(([key, n, ...rest]) => [key, n, ...rest.map(Math.round)])
	const same = (list, key, order) => eventually(async () => assert.deepEqual(await shown(), rounded(expected(list, key, order))))

	await goTo(page, '#/wages', 'Compensation')
	await page.reload()
	await same(people, (p) => p.division)
	await chartsDrawn(page)
	await looksWell('wages')
	// Pointing at a box tells its figures, within the policy.
	await page.locator('.chart svg path[stroke="#0072b2"]').first().hover()
	await page.locator('.chart svg text').getByText('third quartile').waitFor()
	await page.mouse.move(0, 0)

	await page.getByLabel('Group by').selectOption('hired')
	await same(people, (p) => p.hire_date.slice(0, 4))
	await page.getByLabel('Group by').selectOption('performance')
	const reviews = ['Improvement needed', 'Meets', 'Exceeds', 'Redefines', '(none)']
	await same(people, (p) => p.performance ?? '(none)', (a, b) => reviews.indexOf(a) - reviews.indexOf(b))
	await goTo(page, '#/wages?by=gender&performance=&performance=Meets', 'Compensation')
	await same(people.filter((p) => p.performance === null || p.performance === 'Meets'), (p) => p.gender)
	await goTo(page, '#/wages?by=gender', 'Compensation')
	await same(people, (p) => p.gender)

	await page.getByRole('button', { name: /^Department: all/ }).focus()
	await page.keyboard.press('Enter')
	const list = page.getByRole('group', { name: 'Department' })
	await list.getByRole('checkbox').first().waitFor()
	await accessible(page, 'a choice')
	await page.keyboard.press('Tab')
	await page.keyboard.press('Space')
	const first = people.map((p) => p.department).sort()[0]
	await page.keyboard.press('Escape')
	await list.waitFor({ state: 'detached' })
	const some = people.filter((p) => p.department === first)
	await same(some, (p) => p.gender)
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), `Department: ${first}`)

	await page.getByRole('button', { name: 'Median' }).click()
	await eventually(async () => {
		const medians = (await shown()).map((row) => row[4])
		assert.deepEqual(medians, [...medians].sort((a, b) => a - b))
		assert.equal(await page.locator('th[aria-sort=ascending]').innerText(), 'Median ↑')
	})
	const before = await figures(page)
	await page.reload()
	await eventually(async () => assert.deepEqual(await figures(page), before))

	const file = csvRows(await csvOf(page, 'These figures as CSV'))
	assert.deepEqual(file[0].slice(0, 3), ['Gender', 'People', 'Smallest'])
	assert.deepEqual(file.slice(1, -1).map((r) => r[0]), before.map((r) => r[0]))
	const rows = csvRows(await csvOf(page, /rows behind them as CSV/))
	assert.equal(rows.length - 1, some.length)

	await page.goBack()
	await page.goBack()
	await same(people, (p) => p.gender)
	await page.getByLabel('Group by').selectOption('division')
	await page.getByRole('rowheader').getByRole('link', { name: 'HR' }).click()
	await page.getByRole('heading', { level: 1, name: 'People' }).waitFor()
	const hr = people.filter((p) => p.division === 'HR').length
	await page.getByText(`${hr} people`, { exact: true }).waitFor()
})

test('filters that fit nobody, and a network that goes and comes back', async () => {
	await goTo(page, '#/wages?hired_from=2099', 'Compensation')
	await page.getByText('Nothing fits these filters').waitFor()
	await accessible(page, 'nothing fits')
	await page.route('**/rest/v1/**', (route) => route.abort())
	await page.getByRole('link', { name: 'Show everything' }).click()
	await page.getByRole('alert').getByText('The server cannot be reached').waitFor()
	await accessible(page, 'no network')
	await page.unroute('**/rest/v1/**')
	await page.getByRole('button', { name: 'Try again' }).click()
	await page.getByRole('rowheader', { name: 'All' }).waitFor()
	await goTo(page, '#/wages/people?page=99999', 'People')
	await page.getByText('These filters cannot be answered').waitFor()
	await goTo(page, '#/incidents?hour=noon&by=nothing', 'Response times')
	await page.getByText('These filters cannot be answered').waitFor()
	await accessible(page, 'a wrong filter')
	await page.getByRole('link', { name: 'Begin without filters' }).click()
	await page.getByRole('rowheader', { name: 'All' }).waitFor()
	await goTo(page, '#/nowhere', 'Not found')
	await page.getByText('There is no such page').waitFor()
})

test('people are found by a part of their name, taken as it stands, and have a history', async () => {
	await goTo(page, '#/wages/people', 'People')
	const [person] = await api('GET', '/rest/v1/compensation?order=eid&limit=1', undefined, wages)
	await page.getByLabel('Name').fill('%')
	await page.getByText('Nobody fits').waitFor()
	await page.getByLabel('Name').fill(person.name.slice(1).toUpperCase())
	await page.getByText('1 person', { exact: true }).waitFor()
	await looksWell('people')
	await page.getByRole('link', { name: person.name }).focus()
	await page.keyboard.press('Enter')
	await page.getByRole('heading', { name: person.name }).waitFor()
	await chartsDrawn(page)
	const history = await api('GET', `/rest/v1/salary_history?eid=eq.${person.eid}&order=date,id`, undefined, wages)
	assert.deepEqual((await figures(page)).map((r) => [r[0], Number(r[1].replace(/[$,]/g, ''))]), history.map((h) => [h.date, h.salary]))
	await looksWell('person')
	await page.locator('.chart svg').hover()
	await goTo(page, '#/wages/person?eid=999999999', 'Salary history')
	await page.getByText('There is no person with this number').waitFor()
})

test('people come in pages, in the order asked for', async () => {
	await goTo(page, '#/wages/people?sort=-salary', 'People')
	const all = await api('GET', '/rest/v1/compensation?select=salary&order=salary.desc.nullslast&limit=60', undefined, wages)
	const salaries = async () => (await figures(page)).map((r) => Number(r[6].replace(/[$,]/g, '')))
	await eventually(async () => assert.deepEqual(await salaries(), all.slice(0, 50).map((p) => p.salary)))
	await page.getByRole('button', { name: 'Next' }).click()
	await eventually(async () => assert.deepEqual((await salaries()).slice(0, 10), all.slice(50).map((p) => p.salary)))
	assert.match(page.url(), /page=2/)
})

test('response times by unit type, station, hour and weekday', async () => {
	const units = await api('GET', '/rest/v1/unit_response', undefined, incidents)
	const clock = (s) => `${Math.floor(Math.round(s) / 60)}:${String(Math.round(s) % 60).padStart(2, '0')}`
	const same = (list, key, value, order) => eventually(async () => assert.deepEqual((await figures(page)).map((r) => [...r.slice(0, 6), r[7]]),
		quartiles(list, key, value, order).map(([name, n, ...rest]) => [name, String(n), ...rest.map(clock)])))
	await goTo(page, '#/incidents', 'Response times')
	await same(units, (u) => u.unit_type, (u) => u.response_duration)
	await chartsDrawn(page)
	await looksWell('times')
	await page.getByRole('combobox', { name: 'Time', exact: true }).selectOption('turnout')
	await page.getByLabel('Group by').selectOption('station')
	await same(units, (u) => u.station, (u) => u.turnout_duration)
	await page.getByRole('combobox', { name: 'Time', exact: true }).selectOption('travel')
	await page.getByLabel('Group by').selectOption('hour')
	await same(units, (u) => String(u.hour_of_day), (u) => u.travel_duration, (a, b) => a - b)
	await page.getByLabel('Group by').selectOption('weekday')
	const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
	await same(units, (u) => u.day_of_week, (u) => u.travel_duration, (a, b) => days.indexOf(a) - days.indexOf(b))
	await page.getByLabel('From', { exact: true }).fill('2025-03-01')
	await page.getByLabel('To', { exact: true }).fill('2025-03-31')
	const march = units.filter((u) => u.opened.startsWith('2025-03'))
	await same(march, (u) => u.day_of_week, (u) => u.travel_duration, (a, b) => days.indexOf(a) - days.indexOf(b))
	await page.getByRole('rowheader').getByRole('link', { name: 'Monday' }).click()
	await same(march.filter((u) => u.day_of_week === 'Monday'), (u) => u.unit_type, (u) => u.travel_duration)
})

test('incidents by type over time, months without any included', async () => {
	const calls = await api('GET', '/rest/v1/incident_local?select=type,opened,day_of_week&order=opened', undefined, incidents)
	await goTo(page, '#/incidents/count', 'Incidents over time')
	const total = (list) => eventually(async () => {
		const rows = await figures(page)
		const months = rows.map((r) => r[0])
		assert.deepEqual(rows.map((r) => Number(r.at(-1).replace(/,/g, ''))), months.map((m) => list.filter((c) => c.opened.startsWith(m)).length))
		assert.equal(months[0], list[0].opened.slice(0, 7))
		assert.equal(months.at(-1), list.at(-1).opened.slice(0, 7))
		const [first, last] = [months[0], months.at(-1)].map((m) => 12 * Number(m.slice(0, 4)) + Number(m.slice(5)))
		assert.equal(months.length, last - first + 1)
	})
	await total(calls)
	await chartsDrawn(page)
	await looksWell('over-time')
	await page.locator('.chart svg').hover()
	await page.getByRole('button', { name: /^Type: all/ }).click()
	await page.getByRole('group', { name: 'Type' }).getByLabel(/^HAZMAT/).check()
	await total(calls.filter((c) => c.type === 'HAZMAT'))
	await page.keyboard.press('Escape')
	await page.getByRole('combobox', { name: 'By', exact: true }).selectOption('weekday')
	await eventually(async () => assert.deepEqual((await figures(page)).map((r) => r[0])[0], 'Monday'))
	await page.getByLabel('Split by').selectOption('subtype')
	await page.getByRole('columnheader', { name: 'GAS LEAK' }).waitFor()
})

test('places: nearer and farther by buttons, wheel and mouse; a point opens the timeline of its incident', async () => {
	await goTo(page, '#/incidents/places', 'Places of incidents')
	await chartsDrawn(page)
	const count = async () => Number((await page.getByRole('heading', { level: 2 }).innerText()).match(/^[\d,]+/)[0].replace(/,/g, ''))
	const [{ count: all }] = await api('GET', '/rest/v1/incident?select=count()', undefined, incidents)
	await eventually(async () => assert.equal(await count(), all))
	await looksWell('places')
	await page.getByRole('button', { name: 'Nearer' }).focus()
	for (let i = 0; i < 4; i++) await page.keyboard.press('Enter')
	await eventually(async () => assert.ok(await count() < all))
	const near = await count()
	assert.match(page.url(), /view=/)
	await page.getByRole('button', { name: 'West', exact: true }).click()
	const chart = page.locator('.chart svg')
	await chart.scrollIntoViewIfNeeded()
	const box = await chart.boundingBox()
	await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
	await page.mouse.down()
	await page.mouse.move(box.x + box.width / 2 + 200, box.y + box.height / 2, { steps: 4 })
	await page.mouse.up()
	await page.keyboard.down('Control')
	await page.mouse.wheel(0, 100)
	await page.keyboard.up('Control')
	const view = await page.evaluate(() => location.hash)
	await page.reload()
	await chartsDrawn(page)
	assert.equal(await page.evaluate(() => location.hash), view)
	await page.getByRole('button', { name: 'All of it' }).click()
	await eventually(async () => assert.equal(await count(), all))
	assert.ok(near > 0)

	await goTo(page, '#/incidents/places?type=HAZMAT', 'Places of incidents')
	const [{ count: some }] = await api('GET', '/rest/v1/incident?select=count()&type=eq.HAZMAT', undefined, incidents)
	await eventually(async () => assert.equal(await count(), some))
	await chartsDrawn(page)
	const point = page.locator('.chart svg path[fill]:not([fill=none])').first()
	await point.hover()
	await point.click()
	await page.getByRole('heading', { level: 1, name: 'Incident', exact: true }).waitFor()
	await page.getByRole('heading', { level: 2, name: /^HAZMAT/ }).waitFor()
	const [call] = await api('GET', `/rest/v1/incident?select=event_opened,apparatus(unit_id)&incident_number=eq.${new URL(page.url()).hash.split('number=')[1]}`, undefined, incidents)
	assert.deepEqual((await figures(page)).map((r) => r[0]).sort(), call.apparatus.map((u) => u.unit_id).sort())
	assert.equal(await page.locator('.unit-track').count(), call.apparatus.length)
	// The reader's zone, and UTC on hover.
	const time = page.locator('dl time').first()
	const here = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: 'America/New_York' }).format(new Date(call.event_opened))
	assert.equal(await time.innerText(), here)
	assert.equal(await time.getAttribute('title'), `${new Date(call.event_opened).toISOString().slice(0, 19).replace('T', ' ')} UTC`)
	await looksWell('incident')
	await page.getByText(/^Every report/).click()
	await page.getByRole('table', { name: 'Reports of the units' }).waitFor()
	await accessible(page, 'reports')
})

const sample = async (number, change = () => {}) => {
	const [{ document }] = await api('GET', '/rest/v1/incident_document?select=document&limit=1&order=incident_number', undefined, incidents)
	document.description.incident_number = number
	change(document)
	return document
}
const file = (name, value) => ({ name, mimeType: 'application/json', buffer: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) })
const result = (name) => page.getByRole('list', { name: 'Files' }).getByRole('listitem').filter({ hasText: name })
const gone = (numbers) => api('DELETE', `/rest/v1/incident?incident_number=in.(${numbers})`, undefined, { 'Content-Profile': 'incidents' })

test('incident documents are uploaded by picker and by dropping, each with its result', async () => {
	const numbers = ['UP1', 'UP2', 'UP3', 'UP4']
	try {
		await goTo(page, '#/incidents/upload', 'Upload')
		const wrong = await sample('UP9', (d) => delete d.fire_department.name)
		await page.getByLabel('Incident documents').setInputFiles([file('one.json', await sample('UP1')), file('two.json', [await sample('UP2'), await sample('UP3')]),
			file('wrong.json', wrong), file('text.json', 'not json {')])
		await result('one.json').getByText('UP1 is new').waitFor()
		await result('two.json').getByText('UP3 is new').waitFor()
		await result('wrong.json').getByText('fire_department.name is missing').waitFor()
		await result('text.json').getByText('This is no JSON file').waitFor()
		await page.getByText('2 of 4 files taken, 2 refused.').waitFor()
		await looksWell('upload')
		assert.deepEqual(await api('GET', '/rest/v1/incident?select=incident_number&incident_number=like.UP*&order=incident_number', undefined, incidents),
			['UP1', 'UP2', 'UP3'].map((incident_number) => ({ incident_number })))

		const drop = async (name, value) => {
			const data = await page.evaluateHandle(([n, text]) => {
				const transfer = new DataTransfer()
				transfer.items.add(new File([text], n, { type: 'application/json' }))
				return transfer
			}, [name, JSON.stringify(value)])
			for (const type of ['dragenter', 'dragover', 'drop']) await page.locator('.drop').dispatchEvent(type, { dataTransfer: data })
		}
		await drop('again.json', await sample('UP1'))
		await result('again.json').getByText('UP1 was there already').waitFor()
		await drop('changed.json', await sample('UP1', (d) => { d.address.city = 'Elsewhere' }))
		await result('changed.json').getByText('UP1 was updated').waitFor()
		await page.route('**/rpc/ingest_incident', (route) => route.abort())
		await drop('later.json', await sample('UP4'))
		await result('later.json').getByText('The server cannot be reached').waitFor()
		await page.unroute('**/rpc/ingest_incident')
		await result('later.json').getByRole('button', { name: 'Send again' }).click()
		await result('later.json').getByText('UP4 is new').waitFor()
		await result('later.json').getByRole('link', { name: 'UP4' }).click()
		await page.getByRole('heading', { level: 1, name: 'Incident', exact: true }).waitFor()
	} finally {
		await gone(numbers)
	}
})

test('upload asks visitors to sign in, and tells a role without the right so', async () => {
	const other = await open()
	await other.go('/#/incidents/upload')
	await other.getByText('Sign in to upload incident documents').waitFor()
	await signIn(other, await userOf('authenticated'), secret)
	await other.getByLabel('Incident documents').setInputFiles([file('mine.json', await sample('UP1'))])
	await other.getByText('may not call ingest_incident').waitFor()
	await accessible(other, 'upload refused')
	await well(other)
})

test('text of the database is text on every page', async () => {
	const eid = 990001
	const number = '<b>X</b>1'
	const made = await sample(number, (d) => {
		d.description.type = bad
		d.description.subtype = bad
		d.address.address_line1 = bad
		d.address.city = bad
		d.fire_department.fd_id = 'XSS'
		d.fire_department.name = bad
		d.apparatus[0].unit_type = bad
		d.apparatus[0].unit_id = '<b>E</b>'
		d.apparatus[0].station = '<img src=x onerror=1>'
	})
	const profile = { 'Content-Profile': 'wages' }
	try {
		await api('POST', '/rest/v1/employee_directory', { eid, name: bad, gender: 'X', hire_date: '2020-01-01', department: bad, division: bad, job_code: '<b>R</b>', manager: bad }, profile)
		await api('POST', '/rest/v1/salary_history', { eid, salary: 123456, date: '2020-01-01' }, profile)
		await api('POST', '/rest/v1/rpc/ingest_incident', made, { 'Content-Profile': 'incidents' })
		const places = [['#/wages', 'Compensation'], ['#/wages?by=manager', 'Compensation'], ['#/wages/people?sort=-hire_date', 'People'], [`#/wages/person?eid=${eid}`, 'Salary history'],
			['#/incidents', 'Response times'], ['#/incidents/count?split=subtype&type=' + encodeURIComponent(bad), 'Incidents over time'],
			['#/incidents/places?type=' + encodeURIComponent(bad), 'Places of incidents'], [`#/incidents/incident?number=${encodeURIComponent(number)}`, 'Incident']]
		for (const [place, title] of places) {
			await goTo(page, place, title)
			await page.locator('#main').getByText(bad).first().waitFor()
			assert.equal(await page.locator('#main img, #main table b').count(), 0, place)
		}
		await goTo(page, '#/incidents/places?type=' + encodeURIComponent(bad), 'Places of incidents')
		await chartsDrawn(page)
		await page.locator('.chart svg path[fill]:not([fill=none])').last().hover()
		await goTo(page, '#/wages', 'Compensation')
		await page.getByRole('button', { name: /^Division: all/ }).click()
		await page.getByRole('group', { name: 'Division' }).getByLabel(bad).check()
		await eventually(async () => assert.deepEqual((await figures(page)).map((r) => r.slice(0, 2)), [[bad, '1']]))
		assert.equal(await page.evaluate(() => window.__xss), undefined)
	} finally {
		await api('DELETE', `/rest/v1/salary_history?eid=eq.${eid}`, undefined, profile)
		await api('DELETE', `/rest/v1/employee_directory?eid=eq.${eid}`, undefined, profile)
		await gone([`"${encodeURIComponent(number)}"`])
		await api('DELETE', '/rest/v1/fire_department?fd_id=eq.XSS', undefined, { 'Content-Profile': 'incidents' })
	}
})

test('a page with a chart is at most 320 KB on the wire', async () => {
	const other = await open()
	let bytes = 0
	const client = await other.context().newCDPSession(other)
	await client.send('Network.enable')
	client.on('Network.loadingFinished', (e) => (bytes += e.encodedDataLength))
	await other.go('/#/incidents')
	await chartsDrawn(other)
	assert.ok(bytes > 50000 && bytes <= 320 * 1024, `${bytes} bytes`)
	await well(other)
})

test('nothing was refused by the policy, failed, or went to another host', async () => {
	await well(page)
})
