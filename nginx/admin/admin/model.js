// The OpenAPI document of a schema as what the pages work with: tables with their columns, keys and relations, and
// routines. All that is known about a table comes from here.
import { openapi } from '../shared/api.js'

const isBig = (dbType) => /^(medium|long)?(text|blob)\b|^text|^blob|^json|^vector/i.test(dbType) && !/^tiny/i.test(dbType)

function kindOf(p) {
	const type = [].concat(p.type || []).find((t) => t !== 'null')
	const db = p['x-db-type'] || ''
	if (p['x-json']) return 'json'
	if (p['x-set']) return 'set'
	if (p.enum) return 'enum'
	if (/^(tiny|medium|long)?blob|^(var)?binary|^vector/i.test(db)) return 'binary'
	if (p.format === 'date') return 'date'
	if (p.format === 'date-time') return 'zoned'
	if (p.format === 'date-time-local') return 'datetime'
	if (type === 'boolean') return 'boolean'
	if (type === 'integer') return 'integer'
	if (type === 'number') return 'number'
	if (type === 'string') return 'text'
	return 'json'
}

const nullable = (p) => [].concat(p.type || []).includes('null') || p['x-nullable'] === true || p.enum?.includes(null)
const plain = (text) => (text || '').replace(/\n*Note:\n[\s\S]*$/, '').replace(/<[pf]k[^>]*>/g, '').replace(/@label\b/g, '').trim()

function column(name, p, table, required) {
	return {
		name,
		kind: kindOf(p),
		dbType: p['x-db-type'] || '',
		big: isBig(p['x-db-type'] || '') || Boolean(p['x-json']),
		nullable: nullable(p),
		required: required.includes(name),
		enum: p.enum?.filter((v) => v !== null),
		set: p['x-set'],
		maxLength: p.maxLength,
		default: p.default ?? p['x-default'],
		auto: Boolean(p['x-auto-increment']),
		fulltext: Boolean(p['x-fulltext']),
		generated: Boolean(p['x-generated']) || p.readOnly === true,
		comment: plain(p.description),
		fk: p['x-foreign-key'] || null,
		readable: p['x-selectable'] !== false && p.writeOnly !== true && table['x-selectable'],
		insertable: p['x-insertable'] !== false && !p['x-generated'] && p.readOnly !== true,
		updatable: p['x-updatable'] !== false && !p['x-generated'] && p.readOnly !== true,
	}
}

function table(schemas, key) {
	const s = schemas[key]
	const insert = schemas[`${key}.insert`]
	const required = insert?.required || insert?.allOf?.flatMap((a) => a.required || []) || []
	const columns = Object.entries(s.properties || {}).map(([name, p]) => column(name, p, s, required))
	const byName = Object.fromEntries(columns.map((c) => [c.name, c]))
	// A unique key without nulls does as well as a primary one.
	const keys = [s['x-primary-key'] || [], ...(s['x-unique-keys'] || []).map((k) => k.columns)]
	const key_ = keys.find((k) => k.length && k.every((n) => byName[n]?.readable && !byName[n].nullable)) || []
	return {
		name: s['x-table'],
		schema: s['x-schema'],
		view: s['x-view'],
		comment: plain(s.description),
		columns,
		byName,
		key: key_,
		primaryKey: s['x-primary-key'] || [],
		uniqueKeys: s['x-unique-keys'] || [],
		label: s['x-label-column'] || null,
		relations: s['x-relationships'] || [],
		can: { select: s['x-selectable'], insert: s['x-insertable'], update: s['x-updatable'], delete: s['x-deletable'] },
	}
}

function routine(operation, method, document) {
	const query = (operation.parameters || []).map((p) => (p.$ref ? at(document, p.$ref) : p)).filter((p) => p?.in === 'query')
	const body = at(document, operation.requestBody)?.content?.['application/json']?.schema
	const schema = at(document, body) || {}
	const pages = ['select', 'order', 'limit', 'offset']
	const args = schema.properties
		? Object.entries(schema.properties).map(([name, p]) => column(name, p, { 'x-selectable': true }, schema.required || []))
		: method === 'get'
			? query.filter((p) => !pages.includes(p.name)).map((p) => column(p.name, p.schema || {}, { 'x-selectable': true }, p.required ? [p.name] : []))
			: []
	return {
		name: operation['x-routine'],
		isFunction: operation['x-function'],
		readOnly: operation['x-read-only'],
		comment: plain(operation.description),
		args,
		// One JSON parameter that takes the body as it is.
		wholeBody: Boolean(body) && !schema.properties,
	}
}

const at = (document, x) =>
	x?.$ref ? x.$ref.slice(2).split('/').reduce((o, k) => o?.[decodeURIComponent(k).replace(/~1/g, '/').replace(/~0/g, '~')], document) : x

// { schema, schemas, role, tables, byName, routines } for the caller's role.
export async function loadModel(schema) {
	const document = await openapi(schema)
	const schemas = document.components?.schemas || {}
	const tables = Object.keys(schemas).filter((k) => schemas[k]['x-table'] !== undefined && schemas[k].properties).map((k) => table(schemas, k))
	const routines = Object.entries(document.paths || {})
		.filter(([path]) => path.startsWith('/rpc/'))
		.map(([, p]) => routine(p.post || p.get, p.post ? 'post' : 'get', document))
	tables.sort((a, b) => a.name.localeCompare(b.name))
	routines.sort((a, b) => a.name.localeCompare(b.name))
	return {
		schema: document['x-database'] || schema,
		schemas: document['x-databases'] || [document['x-database'] || schema],
		role: document['x-role'],
		title: document.info?.title,
		tables,
		byName: Object.fromEntries(tables.map((t) => [t.name, t])),
		routines,
	}
}

// The columns of a list at first: not what may be megabytes, nor more than a screen can bear.
export const firstColumns = (t) => {
	const all = t.columns.filter((c) => c.readable && c.kind !== 'binary' && !c.big)
	const key = all.filter((c) => t.key.includes(c.name))
	return [...key, ...all.filter((c) => !t.key.includes(c.name))].slice(0, 24).map((c) => c.name)
}

// Tables that point at this one, with one column or several: what is shown beneath a record.
export const children = (t) => t.relations.filter((r) => !r.junction && r.foreign_key_here === false && (!r.schema || r.schema === t.schema))

// The foreign key a column can be picked by: one whose table may be read and shown.
export const pickable = (model, c) => {
	const target = c.fk && (!c.fk.schema || c.fk.schema === model.schema) && model.byName[c.fk.table]
	return target && target.can.select && c.fk.columns?.length === 1 ? target : null
}
