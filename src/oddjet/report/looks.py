"""Template, style and script of the report: light and dark, for keyboards, screen readers, paper and phones."""

TEMPLATE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{{ page.title }}</title>
<link rel="icon" href="data:,">
<style>{{ style | safe }}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<h1>{{ page.title }}</h1>
<p>{{ page.subtitle }}</p>
</header>
<nav aria-label="Sections">
<ul>
{% for section in page.sections %}
{% if section.sections %}
<li><details name="parts"><summary>{{ section.title }}</summary>
<ul aria-label="{{ section.title }}">
{% for inner in section.sections %}
<li><a href="#{{ inner.anchor }}">{{ inner.title }}</a></li>
{% endfor %}
</ul>
</details></li>
{% else %}
<li><a href="#{{ section.anchor }}">{{ section.title }}</a></li>
{% endif %}
{% endfor %}
</ul>
</nav>
<main id="content" tabindex="-1">
{% macro words(cell) %}
{% if cell.link %}<a href="#{{ cell.link }}">{{ cell.text }}</a>{% else %}{{ cell.text }}{% endif %}
{% endmacro %}
{% macro table(block) %}
<div class="scroll" role="region" tabindex="0" aria-label="{{ block.caption }}">
<table>
<caption>{{ block.caption }}</caption>
<thead><tr>
{% for name in block.head %}
<th scope="col"><button type="button">{{ name }}</button></th>
{% endfor %}
</tr></thead>
<tbody>
{% for row in block.rows %}
<tr>
{% for cell in row %}
{% if loop.first %}
<th scope="row"{% if cell.value is not none %} data-value="{{ cell.value }}"{% endif %}>{{ words(cell) }}</th>
{% else %}
<td{% if cell.value is not none %} class="number" data-value="{{ cell.value }}"{% endif %}>{{ words(cell) }}</td>
{% endif %}
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table>
</div>
{% endmacro %}
{% macro written(section, level) %}
<section aria-labelledby="{{ section.anchor }}">
<h{{ level }} id="{{ section.anchor }}">{{ section.title }}</h{{ level }}>
{% for block in section.blocks %}
{% if block.name == "text" %}
{% for paragraph in block.paragraphs %}
<p class="{{ block.kind }}">{{ paragraph }}</p>
{% endfor %}
{% elif block.name == "table" %}
{% if block.folded %}
<details><summary>{{ block.caption }}</summary>
{{ table(block) }}
</details>
{% else %}
{{ table(block) }}
{% endif %}
{% elif block.name == "gallery" %}
<div class="gallery">
{% for picture in block.pictures %}
<figure{% if picture.wide %} class="wide"{% endif %}>
<div class="picture{% if picture.broad %} broad{% endif %}"
{% if picture.broad %} role="region" tabindex="0" aria-label="{{ picture.caption }}"{% endif %}>
<img src="{{ picture.source }}" alt="{{ picture.alternative }}">
</div>
<figcaption>{{ picture.caption }}</figcaption>
</figure>
{% endfor %}
</div>
{% else %}
<details><summary>{{ block.summary }}</summary>
<pre tabindex="0">{{ block.text }}</pre>
</details>
{% endif %}
{% endfor %}
{% for inner in section.sections %}
{{ written(inner, level + 1) }}
{% endfor %}
</section>
{% endmacro %}
{% for section in page.sections %}
{{ written(section, 2) }}
{% endfor %}
</main>
<p id="said" class="hidden" role="status"></p>
<script>{{ script | safe }}</script>
</body>
</html>
"""

STYLE = """
:root { --page: #fff; --ink: #1b2430; --soft: #566273; --line: #d5dce4; --band: #f3f6f9; --link: #0b57a4;
  --mark: #e6effa; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12171e; --ink: #e4e9ef; --soft: #a3b0bf; --line: #313b47; --band: #1a212a; --link: #84b9f5;
    --mark: #22354a; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 6rem; }
body { margin: 0 auto; max-width: 76rem; padding: 0 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif; overflow-wrap: break-word; }
header { padding: 1.5rem 0 0.5rem; }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; }
header p { margin: 0.3rem 0 0; color: var(--soft); }
h2 { margin: 2.6rem 0 0.7rem; padding-bottom: 0.3rem; border-bottom: 1px solid var(--line); font-size: 1.35rem; }
h3 { margin: 1.9rem 0 0.6rem; font-size: 1.15rem; }
p { max-width: 52rem; margin: 0.6rem 0; }
p.lead { font-size: 1.15rem; padding: 0.8rem 1rem; background: var(--mark); border-left: 4px solid var(--link);
  border-radius: 4px; }
p.note { color: var(--soft); font-size: 0.9rem; }
a { color: var(--link); }
nav { position: sticky; top: 0; z-index: 1; background: var(--page); border-bottom: 1px solid var(--line); }
nav ul { display: flex; gap: 0.2rem 1.1rem; margin: 0; padding: 0.6rem 0; list-style: none; overflow-x: auto;
  white-space: nowrap; }
nav a { display: inline-block; padding: 0.2rem 0; text-decoration: none; font-size: 0.92rem; }
nav details { margin: 0; }
nav summary { padding: 0.2rem 0; font-size: 0.92rem; }
nav details ul { position: absolute; left: 0; right: 0; top: 100%; flex-wrap: wrap; padding: 0.5rem 0;
  background: var(--page); border-bottom: 1px solid var(--line); }
nav a:hover { text-decoration: underline; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; z-index: 2; padding: 0.5rem 1rem; background: var(--page); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0 0 0.5rem; color: var(--soft); }
th, td { padding: 0.35rem 0.75rem; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
thead th { background: var(--band); padding: 0; vertical-align: bottom; }
thead button { width: 100%; padding: 0.45rem 0.75rem; border: 0; background: none; color: inherit; font: inherit;
  font-weight: 600; text-align: left; cursor: pointer; white-space: nowrap; }
thead button::after { content: "\\2195"; margin-left: 0.4rem; color: var(--soft); opacity: 0.6; }
th[aria-sort=ascending] button::after { content: "\\2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: "\\2193"; opacity: 1; }
tbody th { font-weight: 600; }
tbody tr:hover { background: var(--band); }
td.number { text-align: right; }
.gallery { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.2rem;
  margin: 1rem 0; align-items: start; }
figure { margin: 0; }
figure.wide { grid-column: 1 / -1; }
figure:not(.wide) { max-width: 44rem; }
.picture { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem; overflow-x: auto; }
img { display: block; width: 100%; height: auto; }
figcaption { margin-top: 0.4rem; color: var(--soft); font-size: 0.9rem; }
details { margin: 0.8rem 0; }
summary { cursor: pointer; color: var(--link); }
pre { overflow-x: auto; max-height: 32rem; padding: 0.8rem; background: var(--band); border-radius: 6px;
  font-size: 0.82rem; }
@media (min-width: 40rem) { nav ul { flex-wrap: wrap; } }
@media (max-width: 40rem) { h1 { font-size: 1.5rem; } .broad img { width: 46rem; max-width: none; } }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media print { nav, .skip { display: none; } body { max-width: none; } details { display: block; } }
"""

SCRIPT = """
'use strict';
const parts = [...document.querySelectorAll('nav details')];
const close = () => parts.forEach((part) => { part.open = false; });
parts.forEach((part) => part.querySelectorAll('a').forEach((link) => link.addEventListener('click', close)));
document.addEventListener('keydown', (event) => {
  const part = parts.find((one) => one.open);
  if (event.key !== 'Escape' || !part) return;
  close();
  if (part.contains(document.activeElement)) part.querySelector('summary').focus();
});
for (const table of document.querySelectorAll('table')) {
  const heads = [...table.querySelectorAll('thead th')];
  heads.forEach((head, column) => head.querySelector('button').addEventListener('click', () => {
    const down = head.getAttribute('aria-sort') === 'ascending';
    heads.forEach((other) => other.removeAttribute('aria-sort'));
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const body = table.tBodies[0];
    const key = (row) => row.cells[column].dataset.value;
    const words = (row) => row.cells[column].textContent.trim();
    const order = (one, other) => {
      const [a, b] = [key(one), key(other)];
      if (a === undefined || b === undefined) {
        if (a !== undefined || b !== undefined) return a === undefined ? 1 : -1;
        return (down ? -1 : 1) * words(one).localeCompare(words(other));
      }
      return (down ? -1 : 1) * (Number(a) - Number(b));
    };
    [...body.rows].sort(order).forEach((row) => body.append(row));
    const name = head.textContent.trim();
    document.getElementById('said').textContent = `Sorted by ${name}, ${down ? 'descending' : 'ascending'}.`;
  }));
}
"""
