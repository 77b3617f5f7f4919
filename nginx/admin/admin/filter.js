// Filters as a tree, { not, op: 'and' | 'or', items } with leaves { column, not, op, value }, and as the [name, value] pairs
// of PostgREST's grammar, which is also what the address of a page holds.
import { quoted } from '../shared/api.js'

// Operators by what they are for; each with the words people read.
export const OPERATORS = {
	eq: 'is', neq: 'is not', gt: '>', gte: '≥', lt: '<', lte: '≤', like: 'matches (* any text), exact case', ilike: 'matches (* any text)',
	match: 'matches regular expression', imatch: 'matches regular expression, any case', in: 'is one of', is: 'is (null, true, false …)',
	isdistinct: 'differs from, null too', cs: 'contains (JSON)', cd: 'is contained in (JSON)', ov: 'overlaps (JSON)',
	fts: 'full text', plfts: 'full text, all words', phfts: 'full text, phrase', wfts: 'full text, as on the web',
	'eq(any)': 'is any of', 'like(any)': 'matches any of, exact case', 'like(all)': 'matches all of, exact case',
	'ilike(any)': 'matches any of', 'ilike(all)': 'matches all of',
}
const compare = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'in', 'is', 'isdistinct']
const text = ['ilike', 'like', 'match', 'imatch', 'fts', 'plfts', 'phfts', 'wfts', 'eq(any)', 'like(any)', 'like(all)', 'ilike(any)', 'ilike(all)']
export const operatorsFor = (c) => {
	if (!c) return Object.keys(OPERATORS)
	if (c.kind === 'json') return ['is', 'cs', 'cd', 'ov', ...compare.filter((o) => o !== 'is'), ...text]
	if (['text', 'enum', 'set'].includes(c.kind)) return [...compare, ...text]
	if (c.kind === 'boolean') return ['is', 'eq', 'neq', 'in', 'isdistinct']
	return [...compare, 'eq(any)']
}
export const RESERVED = new Set(['select', 'order', 'limit', 'offset', 'q'])

const list = (value) => String(value).split(/[\n,]/).map((v) => v.trim()).filter((v) => v !== '')
const plainWord = /^[^\s,.:()"{}\\]+$/

// A value as the grammar has it; in a group it must not end early.
function written(leaf, grouped) {
	if (leaf.op === 'in') return `(${list(leaf.value).map(quoted).join(',')})`
	if (/\((any|all)\)$/.test(leaf.op)) return `{${list(leaf.value).map((v) => `"${v.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
	if (!grouped || plainWord.test(leaf.value)) return leaf.value
	return quoted(leaf.value)
}
const operator = (leaf, grouped) => `${leaf.not ? 'not.' : ''}${leaf.op}.${written(leaf, grouped)}`
const name = (column) => (/^[^\s,.:()"*]+$/.test(column) ? column : column.includes('->') ? column : quoted(column))
const member = (node) => (node.items ? `${node.not ? 'not.' : ''}${node.op}${group(node)}` : `${name(node.column)}.${operator(node, true)}`)
const group = (node) => `(${node.items.filter(complete).map(member).join(',')})`
const complete = (node) => (node.items ? node.items.some(complete) : Boolean(node.column && node.op && (node.value !== '' || ['eq', 'neq', 'isdistinct'].includes(node.op))))

export function toPairs(root) {
	const items = root.items.filter(complete)
	if (root.op === 'or' || root.not) return items.length ? [[`${root.not ? 'not.' : ''}${root.op}`, group({ ...root, items })]] : []
	return items.map((n) => (n.items ? [`${n.not ? 'not.' : ''}${n.op}`, group(n)] : [name(n.column), operator(n, false)]))
}

const OPERATION = /^(not\.)?(eq|neq|gte?|lte?|i?like|i?match|in|isdistinct|is|cs|cd|ov|(?:pl|ph|w)?fts)(\((?:any|all|[\w ]+)\))?\.([\s\S]*)$/

function leaf(column, text) {
	const found = OPERATION.exec(text)
	if (!found) return { column, op: 'eq', value: text, raw: text }
	const [, not, op, modifier = '', value] = found
	const bare = op === 'in' || /any|all/.test(modifier) ? items(value.slice(1, -1)).map(unquoted).join('\n') : value
	return { column, not: Boolean(not), op: op + (/any|all/.test(modifier) ? modifier : ''), value: bare }
}
const unquoted = (v) => (/^".*"$/s.test(v) ? v.slice(1, -1).replace(/\\(.)/gs, '$1') : v)

// The members of a list, parted at commas that are in no quotes and no brackets.
function items(text) {
	const out = []
	let depth = 0
	let inside = false
	let from = 0
	for (let i = 0; i <= text.length; i++) {
		const c = text[i]
		if (inside && c === '\\') i++
		else if (c === '"') inside = !inside
		else if (!inside && (c === '(' || c === '{')) depth++
		else if (!inside && (c === ')' || c === '}')) depth--
		if (i >= text.length || (c === ',' && !inside && !depth)) {
			if (i > from) out.push(text.slice(from, i))
			from = i + 1
		}
	}
	return out
}

function fromMember(text) {
	const nested = /^(not\.)?(and|or)\(([\s\S]*)\)$/.exec(text)
	if (nested) return { not: Boolean(nested[1]), op: nested[2], items: items(nested[3]).map(fromMember) }
	const column = /^("(?:[^"\\]|\\.)*"|.*?)(?=\.(?:not\.)?(?:eq|neq|gte?|lte?|i?like|i?match|in|isdistinct|is|cs|cd|ov|(?:pl|ph|w)?fts)(?:\([\w ]+\))?\.)/s.exec(text)
	if (!column) return { column: text, op: 'eq', value: '' }
	const node = leaf(unquoted(column[1]), text.slice(column[0].length + 1))
	return { ...node, value: unquoted(node.value) }
}

export function fromPairs(pairs) {
	const root = { op: 'and', not: false, items: [] }
	for (const [key, value] of pairs) {
		const nested = /^(not\.)?(and|or)$/.exec(key)
		if (nested) root.items.push({ not: Boolean(nested[1]), op: nested[2], items: items(value.replace(/^\(|\)$/g, '')).map(fromMember) })
		else root.items.push(leaf(unquoted(key), value))
	}
	return root
}

// Words that a FULLTEXT index may know, by their beginnings: not those that InnoDB leaves out.
const left = new Set('about are com for from how that the this und was what when where who will with www'.split(' '))
const beginnings = (words) => words.split(/[^\p{L}\p{N}_]+/u).filter((w) => w.length > 2 && !left.has(w.toLowerCase())).map((w) => `${w}:*`).join(' & ')

// What a search box asks of every column of text, as one pair; null when there is nothing to look in. Long texts are
// looked into where they have a FULLTEXT index.
export function search(t, words) {
	const like = `*${words.replace(/[\\%_]/g, '\\$&')}*`
	const leaves = t.columns.filter((c) => c.readable && c.kind === 'text' && !c.big).map((c) => `${name(c.name)}.ilike.${quoted(like)}`)
	if (/^-?\d+$/.test(words))
		for (const c of t.columns) if (c.kind === 'integer' && t.key.includes(c.name) && words.length < 10) leaves.push(`${name(c.name)}.eq.${words}`)
	const known = beginnings(words)
	for (const c of t.columns) if (known && c.readable && c.kind === 'text' && c.big && c.fulltext) leaves.push(`${name(c.name)}.fts.${quoted(known)}`)
	return leaves.length ? ['or', `(${leaves.join(',')})`] : null
}

// The pair of a key's columns that finds one row, as [name, value] pairs.
export const keyPairs = (t, row) => t.key.map((k) => [name(k), `eq.${row[k]}`])

// To count rows, of which a role may not read all columns.
export const oneColumn = (t, pairs) => [['select', name(t.columns.find((c) => c.readable).name)], ...pairs]

// One pair that finds the rows with these keys.
export function keysPair(t, rows) {
	if (t.key.length === 1) return [name(t.key[0]), `in.(${rows.map((r) => quoted(r[t.key[0]])).join(',')})`]
	return ['or', `(${rows.map((r) => `and(${t.key.map((k) => `${name(k)}.eq.${quoted(r[k])}`).join(',')})`).join(',')})`]
}

// A filter that every row passes, for writes to the whole table.
export const everyRow = (t) => [name(t.key[0] || t.columns[0].name), t.key.length ? 'not.is.null' : 'not.eq.']

export { name as columnName }
