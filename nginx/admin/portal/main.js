// The portal at /: what this instance holds and where to go.
import { html } from '../shared/html.js'
import { mount } from '../shared/layout.js'
import './portal.css'

function Portal() {
	return html`<div class="container py-4">
		<h1>Rowgate</h1>
		<p class="lead">A database, as an authenticated JSON API and as pages.</p>
		<div class="row g-3">
			<div class="col-md-6"><a class="card h-100 tile" href="/admin/"><div class="card-body">
				<h2 class="h5">Data</h2><p class="m-0">Look, filter, edit, import and export every table you may see.</p></div></a></div>
			<div class="col-md-6"><a class="card h-100 tile" href="/docs/"><div class="card-body">
				<h2 class="h5">API</h2><p class="m-0">Every path of the API, to read and to try.</p></div></a></div>
		</div>
	</div>`
}

mount('/', Portal)
