// Text that speaks to a model instead of to a reader: orders to drop its orders, to keep things from its user, to be somebody else,
// and the control tokens of chat formats. What it says is not understood; where it stands decides what is done about it.

import type { Span } from "./hidden-characters.js";

/** Longest gap between the words of one pattern, in characters; everything is bounded, so that time grows with the text only. */
const ABOUT = "[^.!?\\n]{0,60}?";
const MODEL = "(?:AI|A\\.I\\.|LLMs?|language models?|(?:AI|coding|automated|autonomous) (?:agents?|assistants?|systems?)|assistants?|chatbots?|copilot|claude|gemini|chatgpt|gpt-?\\d|kimi)";

/** One form, with lower-case texts of which one must occur before it is looked for at all. */
interface Form {
  readonly hints: readonly string[];
  readonly pattern: RegExp;
}

const MODEL_HINTS = ["ai", "a.i.", "llm", "language model", "agent", "assistant", "system", "chatbot", "copilot", "claude", "gemini", "gpt", "kimi"];

const PATTERNS: readonly Form[] = [
  // Orders to drop what was ordered.
  { hints: ["ignor", "disregard", "forget", "overr", "discard", "follow"], pattern: new RegExp(`\\b(?:ignore|disregard|forget|override|overrule|discard|do not follow|don't follow|stop following)\\b${ABOUT}\\b(?:previous|prior|above|earlier|preceding|foregoing|existing|original|initial|system|your|all)\\b${ABOUT}\\b(?:instructions?|prompts?|directives?|guidelines|system messages?|orders|programming|restrictions|safety rules)\\b`, "giu") },
  // Orders to keep things from the person.
  { hints: ["the user", "the human", "the developer", "the operator", "your user", "your operator", "your developer", "your owner"], pattern: /\b(?:do not|don't|never|without)\b[^.!?\n]{0,20}?\b(?:tell|telling|inform|informing|mention|mentioning|alert|alerting|notify|notifying|reveal|revealing)\b[^.!?\n]{0,40}?\b(?:the user|the human|the developer|the operator|your (?:user|operator|developer|owner))\b/giu },
  // Orders to leave the task.
  { hints: ["your ", "the task", "the user"], pattern: /\b(?:instead of|before (?:you )?(?:continu|proceed|solv|complet|finish|start|work)\w*|stop|abandon|pause|drop)\b[^.!?\n]{0,40}?\b(?:your (?:current |original |main |assigned )?task\b|the task (?:that )?(?:i|you were|the user)\b|the user'?s (?:task|request)\b)/giu },
  // Orders to be somebody else.
  { hints: ["you are now", "you are no longer", "from now on", "act as if", "pretend", "enter "], pattern: /\b(?:you are (?:now (?:an?|in|the|acting|operating|called|named|free|dan|jailbroken|unrestricted|unfiltered)|no longer (?:an?|the|bound|restricted|limited|required))|from now on,? you(?:'re| are| will| must| should)|act as if you (?:are|were|have|had)|pretend (?:to be|that you|you are)|enter (?:developer|debug|god|dan|admin(?:istrator)?) mode)\b[^.!?\n]{0,80}?\b(?:ai|assistant|model|agent|bot|dan|jailbroken|unrestricted|unfiltered|restrictions?|rules|developer mode|root|admin(?:istrator)?|system)\b/giu },
  // Orders to give the orders away.
  { hints: ["your ", "system prompt", "hidden instructions"], pattern: /\b(?:reveal|print|repeat|output|show|leak|disclose|tell me|write out)\b[^.!?\n]{0,40}?\b(?:your (?:system|hidden|initial|original|secret) (?:prompt|instructions?|message)|the (?:system prompt|hidden instructions))\b/giu },
  // A reader who is a model is addressed.
  { hints: MODEL_HINTS, pattern: new RegExp(`(?:^|[\\n#*>"'\`(<!-]|\\b(?:important|attention|note|warning|notice|message|instructions?|hint|reminder)\\b[^.!?\\n]{0,12}?)\\s{0,4}(?:to|for|attention|dear|hey|hello|note to|instructions? (?:to|for))?\\s{0,2}(?:all |any |the |every )?${MODEL}(?: (?:reading|processing|working on|that reads?|who reads?|which reads?) (?:this|the)\\b|\\s{0,2}[:,!])${ABOUT}\\b(?:must|should|shall|have to|need to|please|required|instructed|run|execute|ignore|disregard|send|upload|delete|fetch|download|open|read|add|insert|install|commit|push)\\b`, "giu") },
  { hints: ["if you are"], pattern: new RegExp(`\\bif you are (?:an? |the )?${MODEL}\\b${ABOUT}\\b(?:must|should|please|run|execute|ignore|send|upload|delete|fetch|download|install|instead|then)\\b`, "giu") },
  // Control tokens of chat formats.
  { hints: ["<|", "inst]", "sys>>", "_of_turn>", "\u25c1"], pattern: /<\|(?:im_start|im_end|im_system|im_user|im_assistant|im_middle|system|user|assistant|begin_of_text|end_of_text|start_header_id|end_header_id|eot_id|endoftext|tool_calls_section_begin|tool_call_begin)\|>|\[\/?INST\]|<<\/?SYS>>|<start_of_turn>|<end_of_turn>|\u25c1\/?think\u25b7/gu },
  // A heading that claims to be the system's.
  { hints: ["system", "new instructions", "new task", "new objective"], pattern: /^[\s#*>/<!-]{0,10}(?:\[?(?:new |updated )?system (?:override|prompt|instructions?|directive|message)\]?|new (?:instructions|task|objective) (?:from|by) (?:the )?(?:user|system|developer|operator|administrator))\s{0,2}:/gimu },
];

/** Where a text speaks to a model, in order, none overlapping; at most `most`. */
export function findInstructions(text: string, most: number = 100): readonly Span[] {
  const spans: Span[] = [];
  const lower = text.toLowerCase();
  for (const { hints, pattern } of PATTERNS) {
    if (!hints.some((hint) => lower.includes(hint))) continue;
    for (const match of text.matchAll(pattern)) {
      spans.push({ start: match.index, end: match.index + match[0].length });
      if (spans.length >= most * PATTERNS.length) break;
    }
  }
  const out: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = out.at(-1);
    if (last !== undefined && span.start < last.end) out[out.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    else if (out.length < most) out.push(span);
  }
  return out;
}
