// /docs/: Swagger UI as the role of the session, by which "Try it out" reads and writes.
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { accessible, api, email, launch, open, password, picture, quit, well } from './browser.mjs'

const clean = () => api('DELETE', '/rest/v1/salary_history?eid=eq.1&date=eq.1901-02-03')
before(async () => { await launch(); await clean() })
afterEach(clean)
after(quit)

const operation = (page, id) => page.locator(`[id$="-${id}"]`)
async function openOperation(page, tag, id) {
	const it = operation(page, id)
	if (!(await it.count())) await page.getByRole('button', { name: new RegExp(`^Expand operation.*${tag}|^Expand.*${tag}`) }).or(page.locator(`[data-tag="${tag}"]`)).first().click()
	await it.locator('.opblock-summary-control').click()
	await it.getByRole('button', { name: 'Try it out' }).click()
	return it
}
async function signInBar(page) {
	await page.getByRole('button', { name: 'Sign in' }).click()
	const dialog = page.getByRole('dialog')
	await dialog.getByLabel('Email').fill(email)
	await dialog.getByLabel('Password').fill(password)
	await dialog.getByRole('button', { name: 'Sign in' }).click()
	await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

test('a visitor sees what visitors may do', async () => {
	const page = await open()
	await page.go('/docs/')
	await page.getByText('What visitors may do').waitFor()
	await page.getByLabel('Database').selectOption('incidents')
	await page.locator('[data-tag="incident"]').waitFor()
	assert.equal(await page.locator('[data-tag="document_key"]').count(), 0)
	await page.locator('[data-tag="incident"]').click()
	await operation(page, 'read_incident').waitFor()
	assert.equal(await operation(page, 'insert_incident').count(), 0)
	await accessible(page, 'docs of a visitor')
	await picture(page, 'docs-visitor')
	await well(page)
})

test('reads and writes as the one who is signed in', async () => {
	const page = await open()
	await page.go('/docs/')
	await signInBar(page)
	await page.getByText('What the role service_role').waitFor()

	const read = await openOperation(page, 'salary_history', 'read_salary_history')
	await read.locator('tr[data-param-name="limit"] input').fill('2')
	await read.locator('tr[data-param-name="eid"] input').fill('eq.1')
	await read.getByRole('button', { name: 'Execute' }).click()
	await read.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor()
	assert.match(await read.locator('.live-responses-table').innerText(), /"salary":/)
	assert.doesNotMatch(await page.locator('#main').innerText(), /eyJ/)
	await accessible(page, 'docs with an answer')
	await picture(page, 'docs-answer')

	const write = await openOperation(page, 'salary_history', 'insert_salary_history')
	await write.locator('textarea.body-param__text').fill('{"eid": 1, "salary": 4321, "date": "1901-02-03"}')
	await write.locator('tr[data-param-name="Prefer"] input').fill('return=representation')
	await write.getByRole('button', { name: 'Execute' }).click()
	await write.locator('.live-responses-table .response-col_status', { hasText: '201' }).waitFor()
	assert.equal((await api('GET', '/rest/v1/salary_history?eid=eq.1&date=eq.1901-02-03'))[0].salary, 4321)
	// A bad one is answered, not thrown.
	await write.locator('textarea.body-param__text').fill('{"eid": "x"}')
	await write.getByRole('button', { name: 'Execute' }).click()
	await write.locator('.live-responses-table .response-col_status', { hasText: '400' }).waitFor()
	// The token is kept nowhere.
	assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage })), /eyJ|authorized/)

	await page.getByRole('button', { name: 'Sign out' }).click()
	await page.getByText('What visitors may do').waitFor()
	await well(page)
})
