import { variablesFor } from "../plots/theme.ts";

/** The style sheet of a page: narrow screens first, light and dark as the reader's system is. */
export const STYLE = `
:root{color-scheme:light dark;${variablesFor.light}}
@media (prefers-color-scheme:dark){:root{${variablesFor.dark}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:0 1rem 3rem;max-width:70rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,"Helvetica Neue",Helvetica,Arial,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25;margin:1.5rem 0 .25rem}
h2{font-size:1.2rem;margin:2.5rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--grid)}
h3{font-size:1rem;margin:0 0 .25rem}
p,ul{margin:.5rem 0;max-width:46rem}
ul{padding-left:1.25rem}
a{color:inherit}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;list-style:none}
.lead{font-size:1.1rem}
.state{font-weight:600}
progress{width:100%;max-width:46rem;accent-color:var(--category-0)}
dl{margin:.5rem 0;max-width:46rem}
dl div{display:flex;gap:1rem}
dt{flex:none;width:6rem;color:var(--muted)}
dd{margin:0}
#connection{position:sticky;top:0;margin:0;max-width:none;background:var(--paper);font-weight:600}
.note,figcaption{color:var(--muted);font-size:.9rem}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,29rem),1fr));gap:2rem 1.5rem;margin:1rem 0;align-items:start}
figure{margin:0;min-width:0}
figure svg{display:block;max-width:100%;height:auto}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.8rem;font-variant-numeric:tabular-nums;overflow-wrap:normal}
th,td{padding:.2rem .6rem .2rem 0;text-align:right;vertical-align:top;border-bottom:1px solid var(--grid);white-space:nowrap}
th:first-child,td:first-child{text-align:left}
.words th,.words td{text-align:left;white-space:normal;min-width:7rem}
th{font-weight:600}
details{margin:.5rem 0}
summary{cursor:pointer}
code{font-size:.95em}
pre{overflow-x:auto;padding:.75rem;border:1px solid var(--grid);border-radius:.25rem;font-size:.85rem;line-height:1.4}
.row{margin:1rem 0;padding-left:.75rem;border-left:3px solid var(--muted)}
.won{border-color:var(--better)}
.lost{border-color:var(--worse)}
.text{white-space:pre-wrap;margin:.25rem 0;max-width:46rem}
@media print{details{display:none}figure{break-inside:avoid}}
`;
