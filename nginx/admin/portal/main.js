// The portal at /: what this instance holds, and the pages about wages and incidents.
import { html, useEffect, useRef } from '../shared/html.js'
import { Empty, mount } from '../shared/layout.js'
import { Incident } from './incident.js'
import { Incidents } from './incidents.js'
import { Overview } from './overview.js'
import { People } from './people.js'
import { Person } from './person.js'
import { Places } from './places.js'
import { useRoute } from './route.js'
import { Times } from './times.js'
import { Upload } from './upload.js'
import { Wages } from './wages.js'
import './portal.css'

// path: [title, page, place among the links].
const pages = {
	'': ['Overview', Overview],
	wages: ['Compensation', Wages],
	'wages/people': ['People', People],
	'wages/person': ['Salary history', Person, 'wages/people'],
	incidents: ['Response times', Times],
	'incidents/count': ['Incidents over time', Incidents],
	'incidents/places': ['Places of incidents', Places],
	'incidents/incident': ['Incident', Incident, 'incidents/places'],
	'incidents/upload': ['Upload', Upload],
}
const links = [
	['', [['', 'Overview']]],
	['Wages', [['wages', 'Compensation'], ['wages/people', 'People']]],
	['Incidents', [['incidents', 'Response times'], ['incidents/count', 'Over time'], ['incidents/places', 'Places'], ['incidents/upload', 'Upload']]],
]

const Links = ({ at }) => html`<nav class="portal-nav" aria-label="Portal">
	${links.map(([group, list]) => html`<div class="portal-group">
		${group && html`<span class="portal-label">${group}</span>`}
		${list.map(([path, name]) => html`<a href=${`#/${path}`} class="portal-link" aria-current=${path === at ? 'page' : null}>${name}</a>`)}
	</div>`)}
</nav>`

const Lost = () => html`<${Empty} title="There is no such page"><p class="mb-0">Go to the <a href="#/">overview</a>.</p><//>`

function Portal({ user }) {
	const route = useRoute()
	const [title, Page, place] = pages[route.path] || ['Not found', Lost]
	const content = useRef()
	const before = useRef(route.path)
	useEffect(() => {
		document.title = `${title} · Rowgate`
		if (before.current === route.path) return
		before.current = route.path
		// As a page that is loaded does: to its beginning, also for those who read with the keyboard.
		content.current.focus()
		scrollTo(0, 0)
	}, [route.path])
	return html`<div class="container-xxl py-3">
		<${Links} at=${place || route.path} />
		<div ref=${content} tabindex="-1" class="portal-page" key=${`${route.path} ${user?.id} ${user?.role}`}>
			<h1 class="h3">${title}</h1>
			<${Page} user=${user} route=${route} />
		</div>
	</div>`
}

mount('/', Portal)
