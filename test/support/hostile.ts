// Texts that try to be more than text where they are shown: in a terminal, in HTML, in an attribute, in a script.

/** What a script of theirs would leave behind. */
export const OWNED = "data-owned";
const run = `document.documentElement.setAttribute('${OWNED}','1')`;

export const HOSTILE: readonly string[] = [
  `<script>${run}</script>`,
  `</script><script>${run}</script>`,
  `</style><script>${run}</script>`,
  `<img src=x onerror="${run}">`,
  `"><svg onload="${run}">`,
  `' autofocus onfocus='${run}`,
  `<iframe srcdoc="<script>parent.${run}</script>"></iframe>`,
  `<a href="javascript:${run}">x</a>`,
  `<meta http-equiv="refresh" content="0;url=javascript:${run}">`,
  `<base href="//evil.example/">`,
  `<img src="http://evil.example/beacon.png"><script src="http://evil.example/x.js"></script>`,
  `<link rel="stylesheet" href="//evil.example/x.css"><style>*{display:none}</style>`,
  `<form action="//evil.example"><button autofocus>x</button></form>`,
  `--><script>${run}</script><!--`,
  `]]><script>${run}</script>`,
  `\${${run}}\`;${run}//`,
  `&lt;script&gt;${run}&lt;/script&gt;`,
  `<details open ontoggle="${run}">`,
  `\u001b[2J\u001b]0;owned\u0007\u001b[8mhidden\u001b[0m\u009b31m`,
  `\u202egnp.exe\u202c \u2066x\u2069 \u200b\ufeff\u00ad`,
  `line\rover\u0008\u0008\u0000 \u2028${run}\u2029`,
  `\ud800 \udfff`,
];

/** A session in OpenAI's form of messages in which every text is hostile. */
export function hostileMessages(texts: readonly string[] = HOSTILE): unknown {
  return texts.flatMap((text, index) => [
    { role: "assistant", content: text, tool_calls: [{ id: `${text}${index}`, function: { name: index % 3 === 0 ? "bash" : index % 3 === 1 ? "Write" : text, arguments: JSON.stringify(index % 3 === 0 ? { command: `rm -rf / # ${text}` } : { file_path: `/etc/${text}`, content: text, [text]: text }) } }] },
    { role: "tool", tool_call_id: `${text}${index}`, content: `${text}\n<returncode>0</returncode>` },
  ]);
}
