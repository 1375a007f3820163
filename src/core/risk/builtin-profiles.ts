// The built-in profiles as data, made from policies/profiles/*.profile.yaml by `node scripts/profiles.mjs`. Change the files, not this.

export const BUILTIN_PROFILES = {
  "kimi-dev": {
    "version": 1,
    "id": "kimi-dev",
    "title": "Kimi-Dev, as published",
    "source": "agent.distributedapps.ai/directory/kimi-dev/threat-model",
    "formula": "0.8-floor",
    "thm": "0.97",
    "mf": "1",
    "factors": [
      {
        "name": "Autonomy of Action",
        "value": "0.80"
      },
      {
        "name": "Goal-Driven Planning",
        "value": "0.80"
      },
      {
        "name": "Self-Modification",
        "value": "0.20"
      },
      {
        "name": "Dynamic Tool Use",
        "value": "0.80"
      },
      {
        "name": "Persistent Memory",
        "value": "0.30"
      },
      {
        "name": "Contextual Awareness",
        "value": "0.80"
      },
      {
        "name": "Dynamic Identity",
        "value": "0.10"
      },
      {
        "name": "Multi-Agent Interactions",
        "value": "0.10"
      },
      {
        "name": "Non-Determinism",
        "value": "0.70"
      },
      {
        "name": "Opacity & Reflexivity",
        "value": "0.60"
      }
    ],
    "cvss": {
      "vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
      "source": "this project: a coding agent without a sandbox; the listing prints none",
      "reasoning": [
        "AV:N AC:L AT:N PR:N: text that anyone can put into a repository or an issue reaches the agent, and needs no luck and no right",
        "UI:P: a person has to start the agent on that repository, and does no more",
        "VC:H VI:H VA:H: code that the agent writes or runs has the person's rights over the repository and the home folder",
        "SC:H SI:H SA:H: with the network and the person's credentials it reaches whatever they reach"
      ]
    },
    "layers": [
      {
        "layer": "L1",
        "listing": "stated",
        "about": "an open model of 72 B, tuned by reinforcement learning; injected instructions, reprogramming, poisoned training data",
        "controls": []
      },
      {
        "layer": "L2",
        "listing": "not-certain",
        "about": "how repository data is read, indexed and kept",
        "open": "what of the user's data the agent can see, and whether it works on the original",
        "controls": [
          "secrets-masked",
          "workspace-copy"
        ]
      },
      {
        "layer": "L3",
        "listing": "stated",
        "about": "a framework that plans in steps and works through tools; misuse of them is its first threat",
        "controls": []
      },
      {
        "layer": "L4",
        "listing": "not-certain",
        "about": "where it is hosted and what holds the code that it runs",
        "open": "whether anything contains what the tests and edits execute",
        "controls": [
          "caps-empty",
          "no-new-privs",
          "seccomp",
          "rootfs-read-only",
          "no-network",
          "guard-unreachable",
          "processes-limited",
          "memory-limited"
        ]
      },
      {
        "layer": "L5",
        "listing": "not-certain",
        "about": "guardrails at run time, logging and observation",
        "open": "whether what is done is seen and kept",
        "controls": [
          "record-kept"
        ]
      },
      {
        "layer": "L6",
        "listing": "not-certain",
        "about": "security, compliance and access to repositories and credentials",
        "open": "whether the agent can reach credentials, and change what is protected",
        "controls": [
          "secrets-masked",
          "protected-read-only"
        ]
      },
      {
        "layer": "L7",
        "listing": "not-certain",
        "about": "other agents, marketplaces and integrations",
        "open": "whether it can reach any of them",
        "controls": [
          "no-network"
        ]
      }
    ]
  },
  "rubric": {
    "version": 1,
    "id": "rubric",
    "title": "A coding agent that nobody has rated",
    "source": "OWASP AIVSS v0.8, rubric of the ten factors, read for a coding agent without a sandbox",
    "formula": "0.8-floor",
    "thm": "0.97",
    "mf": "1",
    "factors": [
      {
        "name": "autonomy",
        "value": "1"
      },
      {
        "name": "tools",
        "value": "1"
      },
      {
        "name": "language",
        "value": "1"
      },
      {
        "name": "context",
        "value": "1"
      },
      {
        "name": "non_determinism",
        "value": "1"
      },
      {
        "name": "opacity",
        "value": "1"
      },
      {
        "name": "persistence",
        "value": "0.5"
      },
      {
        "name": "identity",
        "value": "0"
      },
      {
        "name": "multi_agent",
        "value": "0"
      },
      {
        "name": "self_mod",
        "value": "1"
      }
    ],
    "cvss": {
      "vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
      "source": "this project: a coding agent without a sandbox",
      "reasoning": [
        "as for kimi-dev: nothing is known of this agent that would make it less"
      ]
    },
    "layers": [
      {
        "layer": "L1",
        "listing": "not-certain",
        "about": "the model",
        "open": "everything",
        "controls": []
      },
      {
        "layer": "L2",
        "listing": "not-certain",
        "about": "data",
        "open": "what of the user's data the agent can see",
        "controls": [
          "secrets-masked",
          "workspace-copy"
        ]
      },
      {
        "layer": "L3",
        "listing": "not-certain",
        "about": "the framework",
        "open": "everything",
        "controls": []
      },
      {
        "layer": "L4",
        "listing": "not-certain",
        "about": "deployment",
        "open": "whether anything contains what is executed",
        "controls": [
          "caps-empty",
          "no-new-privs",
          "seccomp",
          "rootfs-read-only",
          "no-network",
          "guard-unreachable",
          "processes-limited",
          "memory-limited"
        ]
      },
      {
        "layer": "L5",
        "listing": "not-certain",
        "about": "observation",
        "open": "whether what is done is seen and kept",
        "controls": [
          "record-kept"
        ]
      },
      {
        "layer": "L6",
        "listing": "not-certain",
        "about": "access",
        "open": "whether the agent can reach credentials, and change what is protected",
        "controls": [
          "secrets-masked",
          "protected-read-only"
        ]
      },
      {
        "layer": "L7",
        "listing": "not-certain",
        "about": "other agents",
        "open": "whether it can reach any",
        "controls": [
          "no-network"
        ]
      }
    ]
  }
} as const;
