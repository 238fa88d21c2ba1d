// How a story's drawing looks. Every rule is bound to the drawing, since several may stand in one page.

/** Style sheet of one drawing. A page may set the same custom properties to fit it in. */
export const SVG_STYLE = `
.story-diagram{--ink:#1d2733;--soft:#5c6875;--rule:#e6e9ed;--lane:#aab4bf;--paper:#fff;--message:#2f5d9b;--bad:#b3261e;--bad-soft:#fdecea;--good:#23714a;--warn:#8a5300;--shade:#eef1f5;--shade-edge:#c3ccd6;font:13px/1.3 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
@media screen and (prefers-color-scheme:dark){.story-diagram{--ink:#e4e9ef;--soft:#9aa7b4;--rule:#262e37;--lane:#56616d;--paper:#171d24;--message:#8ab4f0;--bad:#ff8a80;--bad-soft:#3a1f20;--good:#7ed0a3;--warn:#f0b65f;--shade:#222a33;--shade-edge:#414c58}}
.story-diagram .paper{fill:var(--paper)}
.story-diagram text{fill:var(--ink)}
.story-diagram .name,.story-diagram .phone{text-anchor:middle;font-weight:600}
.story-diagram .phone{fill:var(--soft);font-weight:500}
.story-diagram .time{text-anchor:end;fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
.story-diagram .guide{stroke:var(--rule)}
.story-diagram .lane{stroke:var(--lane);stroke-width:2;stroke-linecap:round}
.story-diagram .gone{stroke:var(--lane);stroke-dasharray:1 6;stroke-linecap:round}
.story-diagram rect.offline{fill:var(--shade);stroke:var(--shade-edge);stroke-dasharray:4 4}
.story-diagram .violation-band{fill:var(--bad-soft)}
.story-diagram .message{stroke:var(--message);stroke-width:2}
.story-diagram .message.lost{stroke:var(--warn);stroke-dasharray:6 4}
.story-diagram .head{fill:var(--message)}
.story-diagram .cross{fill:none;stroke:var(--bad);stroke-width:2.75;stroke-linecap:round}
.story-diagram .cross.lost{stroke:var(--warn)}
.story-diagram .dot{fill:var(--message);stroke:var(--paper);stroke-width:1.5}
.story-diagram .dot.violation{fill:var(--bad)}
.story-diagram .dot.launch,.story-diagram .dot.online{fill:var(--good)}
.story-diagram .dot.fault,.story-diagram .dot.lost,.story-diagram .dot.offline{fill:var(--warn)}
.story-diagram .ring{fill:none;stroke:var(--bad);stroke-width:2.5}
.story-diagram text.violation{fill:var(--bad);font-weight:650}
.story-diagram text.kill{fill:var(--bad);font-weight:600}
.story-diagram text.launch,.story-diagram text.online{fill:var(--good)}
.story-diagram text.lost,.story-diagram text.fault,.story-diagram text.offline{fill:var(--warn)}
`.trim();
