// How a report's page looks: one column, light and dark, on paper, on a phone.

/** The page's only style sheet. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5c6875;--rule:#dfe4ea;--paper:#fff;--ground:#f5f6f8;--accent:#2f5d9b;--accent-soft:#eaf1fb;--good:#23714a;--warn:#8a5300;--bad:#b3261e;--bad-soft:#fdecea;--code:#f1f3f6}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#9aa7b4;--rule:#2c3540;--paper:#171d24;--ground:#0f1419;--accent:#8ab4f0;--accent-soft:#1a2635;--good:#7ed0a3;--warn:#f0b65f;--bad:#ff8a80;--bad-soft:#3a1f20;--code:#202832}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:58rem;margin:0 auto;padding:2.5rem 1.25rem 3rem}
h1,h2,h3,p,ol,ul,dl,dd,figure,pre{margin:0}
h1{font-size:1.9rem;line-height:1.2;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{font-size:1.2rem;line-height:1.3;margin:2.75rem 0 .9rem}
h3{font-size:1rem;line-height:1.4}
p,h3{overflow-wrap:anywhere}
a{color:var(--accent)}
code,pre{font-family:ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.86em}
code{background:var(--code);padding:.12em .35em;border-radius:4px;overflow-wrap:anywhere}
pre{background:var(--code);padding:.85rem 1rem;border-radius:8px;overflow:auto;line-height:1.5;max-height:30rem;tab-size:2}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:4px}
.kicker{color:var(--soft);font-size:.9rem;margin-bottom:.25rem}
.card{background:var(--paper);border:1px solid var(--rule);border-radius:12px;padding:1.35rem 1.5rem}
.card+.card{margin-top:1rem}
.score{margin-top:1.5rem}
.score .total{font-size:1.1rem;color:var(--soft)}
.score .total strong{font-size:3rem;line-height:1;letter-spacing:-.03em;color:var(--ink);font-variant-numeric:tabular-nums;margin-right:.3rem}
.score .result{font-weight:600;margin-top:.9rem}
.result.passed{color:var(--good)}.result.below-bar,.result.incomplete{color:var(--warn)}.result.not-gradable{color:var(--bad)}
.score .reason{margin-top:.5rem;white-space:pre-line;overflow-wrap:anywhere}
.score .ran{color:var(--soft);margin-top:.35rem;font-size:.94rem}
.meter{position:relative;height:12px;margin:1rem 0 1.6rem;background:var(--rule);border-radius:6px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.meter>span{display:block;height:100%;border-radius:6px;background:var(--warn)}
.meter.passed>span{background:var(--good)}
.meter>i{position:absolute;top:-4px;bottom:-4px;width:2px;background:var(--ink)}
.meter>b{position:absolute;top:16px;transform:translateX(-50%);font-size:.78rem;font-weight:500;color:var(--soft);white-space:nowrap}
.card>p:first-child{margin-top:0}
.first{border-left:5px solid var(--accent)}
.first h2{margin:0 0 .5rem}
.first p{margin-top:.5rem;overflow-wrap:anywhere}
.hint{background:var(--accent-soft);padding:.7rem .9rem;border-radius:8px}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.55rem .6rem;border-top:1px solid var(--rule)}
thead th,thead td{border-top:0;color:var(--soft);font-weight:500;font-size:.86rem;padding-top:0}
tbody th{font-weight:500;overflow-wrap:anywhere}
.dimension th,.dimension td{padding-top:1.2rem;font-weight:650;border-top:0;text-transform:none}
tbody:first-of-type .dimension th,tbody:first-of-type .dimension td{padding-top:.4rem}
th.number,td.number{text-align:right;white-space:nowrap}
td.mark{width:1.9rem;text-align:center;font-weight:700;padding-right:0}
.all{color:var(--good)}.part{color:var(--warn)}.none,.fail{color:var(--bad)}.unjudged,.soft{color:var(--soft)}
.level{font-weight:400;font-size:.8rem;color:var(--soft);border:1px solid var(--rule);border-radius:999px;padding:.05rem .5rem;white-space:nowrap;display:inline-block;line-height:1.5}
.against{list-style:none;padding:0;font-weight:400;font-size:.88rem;color:var(--soft);margin-top:.2rem}
.against li{margin-top:.2rem}
.note{color:var(--soft);font-size:.88rem;margin-top:.8rem}
.scroll{overflow-x:auto}
details{background:var(--paper);border:1px solid var(--rule);border-radius:10px;padding:0 1.1rem}
details+details{margin-top:.6rem}
details details,.card details{background:none;border-radius:8px;padding:0 .9rem;margin-top:.6rem}
summary{cursor:pointer;padding:.75rem 0;overflow-wrap:anywhere}
summary .fail{font-weight:700;margin-right:.25rem}
details[open]>*:last-child{margin-bottom:1rem}
.differs{display:inline-block;min-width:100%;background:var(--bad-soft);color:var(--bad);font-weight:600;border-radius:3px}
.invariant h3 .soft{font-weight:400}
.invariant .headline{font-size:1.06rem;font-weight:600;margin-top:.4rem;overflow-wrap:anywhere}
.invariant ol{margin:.9rem 0 1.2rem;padding-left:1.5rem}
.invariant ol li{margin-top:.2rem;padding-left:.2rem;overflow-wrap:anywhere}
figure{border:1px solid var(--rule);border-radius:10px;overflow-x:auto;background:var(--paper)}
figure svg{display:block;max-width:none}
.beside{margin-top:1rem}
.beside dt{color:var(--soft);font-size:.88rem}
.beside dd{overflow-wrap:anywhere;margin-bottom:.4rem}
.command{display:flex;gap:.6rem;align-items:center;margin-top:.9rem;flex-wrap:wrap}
.command code{padding:.4rem .65rem;user-select:all}
.command span{color:var(--soft);font-size:.92rem}
button{font:inherit;font-size:.84rem;color:var(--accent);background:none;border:1px solid var(--rule);border-radius:6px;padding:.22rem .65rem;cursor:pointer}
button:hover{border-color:var(--accent)}
.json{position:relative}
.json button{position:absolute;top:.5rem;right:.5rem;background:var(--paper)}
footer{margin-top:2.75rem;padding-top:1rem;border-top:1px solid var(--rule);color:var(--soft);font-size:.84rem;overflow-wrap:anywhere}
@media (max-width:36rem){body{font-size:15px}main{padding:1.5rem .85rem 2rem}.card{padding:1.1rem 1rem}h1{font-size:1.55rem}th,td{padding:.5rem .35rem}.costs th,.costs td{font-size:.84rem}}
@media print{:root{color-scheme:light}body{background:none;font-size:10.5pt}main{max-width:none;padding:0}.card,details,figure{break-inside:avoid}figure{border:0}figure svg{max-width:100%;height:auto}button{display:none}pre{white-space:pre-wrap;overflow-wrap:anywhere;max-height:none;font-size:8pt}.scroll{overflow:visible}.scroll td{overflow-wrap:anywhere;min-width:3em}h2{break-after:avoid}}
`.trim();
